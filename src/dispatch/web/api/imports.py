"""Importing a list of subscribers: as CSV, or as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from dispatch.audience.cells import bare, guarded
from dispatch.newsroom import subscriber_lists as lists
from dispatch.newsroom.subscribers import slug_of
from dispatch.web.api import lanes
from dispatch.web.api.operations import JSON, Answer, Call, Operation, Upload
from dispatch.web.api.problems import Fault, RefusalError
from dispatch.web.api.vocabulary import Desk, Given

_MOST = 16_000_000
_MOST_ROWS = 100_000
_TOLD = 100
"""Refused rows that are told one by one."""

Cell = Annotated[str, Meta(max_length=500)]
FieldName = Annotated[str, Meta(min_length=1, max_length=60)]


class ImportOptions(Given):
    desk: Desk
    name: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}$",
            description="What the list is called in the histories of those who come by it.",
            examples=["readers.csv"],
        ),
    ] = "API"
    dry_run: Annotated[bool, Meta(description="Say what would happen, and write nothing.")] = False


class ImportRow(Given):
    """A subscriber, in the words of an export's columns. What is left out is not said."""

    email: Annotated[str, Meta(min_length=1, max_length=500)]
    """A row whose address cannot be used is refused, and the others are taken."""
    name: Cell | None = None
    language: Cell | None = None
    timezone: Cell | None = None
    tags: Annotated[list[Cell], Meta(max_length=50)] | None = None
    status: Cell | None = None
    joined: Cell | None = None
    consent_source: Cell | None = None
    consent_time: Cell | None = None
    consent_ip: Cell | None = None
    fields: Annotated[dict[FieldName, Cell], Meta(max_length=50)] | None = None
    """Custom fields. One that is left out stays as it is."""


Rows = Annotated[list[ImportRow], Meta(min_length=1, max_length=_MOST_ROWS)]


class RefusedRow(Struct, frozen=True):
    line: int
    """Of CSV the line that it begins in, of JSON its place: 1 is the first."""
    because: str
    cells: list[str]


class ImportReport(Struct, frozen=True):
    """What an import did.

    rows = added + updated + unchanged + duplicates + refused + all of left_out.
    """

    rows: int
    added: int
    updated: int
    unchanged: int
    duplicates: int
    """Rows of an address that came again later in the list; the last row is the one that holds."""
    refused: int
    refused_rows: list[RefusedRow]
    """The first hundred of them."""
    left_out: dict[str, int]
    """People who are not to be mailed, by why."""
    ignored: dict[str, int]
    """Values that no sense could be made of, by their kind; the rest of the row was taken."""
    notes: list[str]


async def import_subscribers(call: Call[ImportOptions, Upload]) -> Answer:
    """Import a list of subscribers, as CSV or as JSON.

    CSV has names of its columns in its first line; the exports of listmonk, Ghost, Mailchimp,
    Substack and Buttondown are taken as they are. Who is known is updated; nobody who
    unsubscribed, bounced, complained, was suppressed or forgotten comes back. Importing the
    same list again changes nothing. A list of over 16 MB is imported on the command line.
    """
    return Answer(await call.run_in(lanes.imports, _import, call))


def _import(call: Call[ImportOptions, Upload]) -> ImportReport:
    said, upload = call.parameters, call.body
    is_json = upload.media_type == JSON
    data = _csv(upload.content) if is_json else upload.content
    names = 1 if is_json else 0  # a line that the caller did not write
    refused: list[RefusedRow] = []

    def tell(line: int, cells: list[str], why: str) -> None:
        if len(refused) < _TOLD:
            refused.append(RefusedRow(line - names, why, [bare(cell) for cell in cells]))

    list_ = lists.ListFile(said.name, io.BytesIO(data), len(data), beside=False)
    watch = lists.Watch(refused=tell)
    slug = slug_of(said.desk)
    done = lists.import_list(list_, slug, call.out, call.now, watch, dry_run=said.dry_run)
    report = done.report
    return ImportReport(
        rows=report.rows,
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        duplicates=report.duplicates,
        refused=report.refused,
        refused_rows=refused,
        left_out=dict(report.left_out),
        ignored=dict(report.ignored),
        notes=done.notes,
    )


# JSON as CSV: there is one import, and what it refuses it refuses in both -------------------------

_FACTS = (
    "email", "name", "language", "timezone", "status", "joined", "consent_source", "consent_time",
    "consent_ip",
)  # fmt: skip


def _csv(rows: Sequence[ImportRow]) -> bytes:
    """The list as CSV, a row a line.

    Raises:
        RefusalError: some rows have tags, and others say nothing of them. In a list that would take
            these people's tags: nobody shall lose one because it was left out.
    """
    with_tags = _all_or_none([row.tags is not None for row in rows])
    said = [name for name in _FACTS if any(getattr(row, name) is not None for row in rows)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*said, "attributes", *(["tags"] if with_tags else [])])
    for row in rows:
        cells = [getattr(row, name) or "" for name in said]
        cells += [json.dumps(row.fields or {}), *([",".join(row.tags or [])] if with_tags else [])]
        writer.writerow(guarded(_line(cell)) for cell in cells)
    return text.getvalue().encode()


def _line(cell: str) -> str:
    """A cell on one line; a NUL would make the list one of bytes."""
    return " ".join(cell.replace("\0", "").splitlines())


def _all_or_none(said: Sequence[bool]) -> bool:
    if any(said) and not all(said):
        fault = Fault(
            "Other rows have tags: give every row some, or [] where there are none.",
            pointer=f"#/{said.index(False)}/tags",
        )
        raise RefusalError(422, "Some rows have tags, and others do not say.", errors=[fault])
    return any(said)


OPERATIONS = (
    Operation(
        "POST",
        "/subscribers/import",
        import_subscribers,
        ("subscribers:write",),
        {200: ImportReport},
        ImportOptions,
        bodies={"text/csv": bytes, JSON: Rows},
        most=_MOST,
    ),
)
