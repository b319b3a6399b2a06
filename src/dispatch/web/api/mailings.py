"""Mailings: rehearse, make, follow, pause, resume, cancel, retry, prove.

A mailing is the sending of one edition; its number is the edition's. A request
makes it and is answered: the copies are sent by ``dispatch run``, which has to be
running. What tells who got it takes ``subscribers:read`` besides.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection

from dispatch.errors import DeliveryError
from dispatch.newsroom import mailings, send, sources, trial_copies
from dispatch.newsroom.api_requests import AnotherOrderError, Request
from dispatch.newsroom.send import Order, Plan
from dispatch.web.api import lanes
from dispatch.web.api.articles import HandedIn, texts
from dispatch.web.api.operations import JSON, Answer, Call, Handler, Nothing, Operation
from dispatch.web.api.problems import Fault, RefusalError
from dispatch.web.api.subscribers import Segment
from dispatch.web.api.vocabulary import After, Desk, Email, Given, Limit, Note

CopyState = Literal[
    "queued", "leased", "accepted", "deferred", "bounced", "suppressed", "cancelled", "in_doubt"
]
MailingState = Literal["scheduled", "sending", "paused", "held", "finished", "cancelled"]
Number = Annotated[int, Meta(ge=1, le=999_999_999, description="The number of a mailing.")]
Subject = Annotated[str, Meta(min_length=1, max_length=500)]
When = Annotated[
    str, Meta(min_length=1, max_length=100, examples=["2026-11-25 07:00 Europe/Paris"])
]
_MOST = 20_000_000
"""Bytes of the articles of a mailing, as JSON."""


# What is asked for -------------------------------------------------------------------------------


class OfNumber(Given):
    number: Number


class MailingsBefore(Given):
    desk: Desk | None = None
    all_: Annotated[
        bool,
        Meta(description="With the mail that Dispatch writes: to confirm, to welcome."),
    ] = msgspec.field(default=False, name="all")
    limit: Limit = 50
    after: After = 0


class RecipientsAfter(Given):
    number: Number
    state: CopyState | None = None
    limit: Limit = 100
    after: After = 0


class NewMailing(Given):
    """An edition and whom it is for."""

    desk: Desk
    """Whose subscribers get it."""
    articles: Annotated[list[HandedIn], Meta(min_length=1, max_length=50)]
    """One makes an article newsletter, several a digest, the lead story first."""
    subject: Subject | None = None
    """Instead of the headline."""
    segment: Segment | None = None
    """Only these."""
    at: When | None = None
    """When it is to leave; left out, now."""
    local_time: bool = False
    """The time is in each subscriber's own time zone."""
    again: bool = False
    """Although it was sent before; some get it twice."""
    in_doubt: Literal["hold", "resend"] | None = None
    """What is done with copies that may or may not have been taken."""


class OrderedMailing(Given):
    """The parameters of an order."""

    idempotency_key: (
        Annotated[
            str,
            Meta(
                pattern="^[!-~]{1,255}$",
                description="A key of your own for this order, such as a UUID. Asking again with "
                "the same key and the same body makes no second mailing: it answers with the "
                "one that was made. It is remembered for 30 days.",
                examples=["3f1c0f4e-2a4b-4f0e-9d55-0b6f6f5d7a11"],
            ),
        ]
        | None
    ) = None


class TestMailing(Given):
    """A mailing that a few addresses get a test copy of."""

    desk: Desk
    articles: Annotated[list[HandedIn], Meta(min_length=1, max_length=50)]
    to: Annotated[list[Email], Meta(min_length=1, max_length=10)]
    subject: Subject | None = None


class Retry(Given):
    state: Literal["deferred", "bounced", "in_doubt"]
    """Which copies are sent again; of those in doubt, some may arrive twice."""


class Addressee(Given):
    email: Email


# What is answered --------------------------------------------------------------------------------


class ArticleVersion(Struct, frozen=True):
    id: str
    version: int


class Mailing(Struct, frozen=True):
    """A mailing as it stands."""

    mailing: int
    desk: str
    subject: str
    state: MailingState
    reason: str | None
    """Why it is paused or held."""
    counts: dict[str, int]
    """How many copies are in which state."""
    candidates: int
    segment: str | None
    in_doubt: str
    made: datetime
    due: datetime
    started: datetime | None
    finished: datetime | None
    articles: list[ArticleVersion]


class Click(Struct, frozen=True):
    """A link and how often it was followed, programs' own clicks with it."""

    url: str
    count: int


class MailingDetail(Mailing, frozen=True):
    """A mailing as it stands, with what was counted of it where its desk has that counted."""

    opens: int | None = None
    """Null: no opening was counted."""
    clicks: list[Click] | None = None
    """The most frequent first."""


class MailingPage(Struct, frozen=True):
    """Mailings, the newest first."""

    mailings: list[Mailing]
    next: int | None
    """What the next page's after is; null on the last page."""


class MailingPlan(Struct, frozen=True):
    """A mailing in numbers: candidates = recipients + the sum of excluded."""

    desk: str
    subject: str
    articles: list[str]
    due: datetime
    scheduled: bool
    candidates: int
    recipients: int
    excluded: dict[str, int]
    """Why, and how many."""
    domains: dict[str, int]
    """The largest recipient domains."""
    twice: int
    """Recipients who have had one of the articles before."""
    earlier_mailings: list[int]
    corrected: list[str]
    """The headlines of those that have a newer version since."""
    seconds: float | None
    """How long it takes at the rate that is set; null: there is no limit."""
    notes: list[Note]
    warnings: list[str]
    refusal: str | None
    """Why it would not be made; null: it would."""


class TestCopy(Struct, frozen=True):
    email: str
    state: str
    reply: str


class TestCopies(Struct, frozen=True):
    """What became of test copies."""

    test: list[TestCopy]


class Recipient(Struct, frozen=True):
    """A recipient of a mailing, and what became of their copy."""

    email: str
    name: str | None
    state: CopyState
    reply: str | None
    at: datetime | None
    due: datetime | None
    attempts: int
    message_id: str


class RecipientPage(Struct, frozen=True):
    """Recipients in the order they were written down. Each is true of its moment."""

    recipients: list[Recipient]
    next: int | None
    """What the next page's after is; null on the last page."""


class Reasons(Struct, frozen=True):
    """Why those who did not get a mailing did not, in the words of the relays."""

    mailing: int
    reasons: dict[str, dict[str, int]]
    """By state, the most frequent reasons, and how many copies each has."""


class Message(Struct, frozen=True):
    """A copy, byte for byte."""

    mailing: int
    email: str
    return_path: str
    message: str


class Proof(Struct, frozen=True):
    """The sums of a mailing, counted one by one."""

    mailing: int
    proven: bool
    candidates: int
    counts: dict[str, int]
    files: int
    findings: list[str]


class Retried(Struct, frozen=True):
    """A mailing after a retry, and how many copies are queued again, as a sentence."""

    mailing: Mailing
    said: str


# What is done ------------------------------------------------------------------------------------


async def list_mailings(call: Call[MailingsBefore, None]) -> Answer:
    """List the mailings, the newest first."""
    wanted = call.parameters

    def page() -> MailingPage:
        found = mailings.every(
            call.out,
            wanted.desk,
            before=wanted.after or None,
            limit=wanted.limit + 1,
            on_demand=wanted.all_,
        )
        shown = found[: wanted.limit]
        more = len(found) > wanted.limit
        return MailingPage([_mailing(m) for m in shown], shown[-1].number if more else None)

    return Answer(await call.run(page))


async def rehearse_mailing(call: Call[Nothing, NewMailing]) -> Answer:
    """Say what a mailing would be: whom it would reach, and what is to be thought about.

    Nothing is written, published or sent. The numbers are those of the mailing itself.
    """
    order = _order(call, call.body)

    def rehearsed() -> Plan:
        with sources.handed_in(texts(call.body.articles)):
            return send.rehearse(order, call.settings, call.now)

    plan = await call.run_in(lanes.newsroom, rehearsed)
    told = {**plan.to_json(), "warnings": list(plan.warnings), "refusal": plan.refusal or None}
    return Answer(msgspec.convert(told, MailingPlan))


async def make_mailing(call: Call[OrderedMailing, NewMailing]) -> Answer:
    """Make a mailing, to leave now or at a time.

    Articles that are not published yet are published first. The copies are sent by
    `dispatch run`, not within the request: ask for the mailing to follow it. What was sent
    to somebody before is refused with 409, unless again is true; with an Idempotency-Key a
    program that got no answer may simply ask again. The answer is 201 where the mailing was
    made, 200 where the same order made it before.
    """
    order, key = _order(call, call.body), call.parameters.idempotency_key
    request = Request(call.token.key, key, call.raw) if key is not None else None
    number, made = await call.run_in(lanes.newsroom, _made, call, order, request)
    found = await call.run(mailings.show, call.out, number)
    location = {"Location": f"/api/v1/mailings/{number}"}
    return Answer(_mailing(found), 201 if made else 200, location)


def _made(
    call: Call[OrderedMailing, NewMailing], order: Order, request: Request | None
) -> tuple[int, bool]:
    """The number of the mailing, and whether it was made now."""

    def along(connection: Connection, number: int) -> None:
        if request is not None:
            request.write_down(connection, number, call.now)

    before = _earlier(call, request)
    if before is not None:
        return before, False
    try:
        with sources.handed_in(texts(call.body.articles)):
            return send.make(order, call.settings, call.now, along).mailing, True
    except DeliveryError:
        # Another process may have carried out the same order in the meantime.
        before = _earlier(call, request)
        if before is None:
            raise
        return before, False


def _earlier(call: Call[OrderedMailing, NewMailing], request: Request | None) -> int | None:
    if request is None:
        return None
    try:
        with call.site.store.reading() as connection:
            return request.carried_out(connection)
    except AnotherOrderError as error:
        raise RefusalError(422, str(error)) from None


async def send_test_copies(call: Call[Nothing, TestMailing]) -> Answer:
    """Send a test copy to a few addresses, with nothing recorded.

    These are sent within the request. The links in them are nobody's.
    """
    said = call.body
    order = Order(call.out, tuple(texts(said.articles)), said.desk, said.subject)

    def sent() -> TestCopies:
        with sources.handed_in(texts(said.articles)):
            copies = trial_copies.send(order, call.settings, call.now, said.to)
        return TestCopies([TestCopy(copy.email, copy.state, copy.reply) for copy in copies])

    return Answer(await call.run_in(lanes.tests, sent))


async def show_mailing(call: Call[OfNumber, None]) -> Answer:
    """Show a mailing: its edition, its state, and how many copies are in which state."""
    number = await _known(call)
    found = await call.run(mailings.show, call.out, number)
    return Answer(msgspec.convert(found.to_json(), MailingDetail))


async def show_reasons(call: Call[OfNumber, None]) -> Answer:
    """Say why those who did not get a mailing did not.

    The words are the relays', which may name an address.
    """
    number = await _known(call)
    found = await call.run(mailings.show, call.out, number)
    return Answer(Reasons(number, found.reasons))


async def list_recipients(call: Call[RecipientsAfter, None]) -> Answer:
    """List the recipients of a mailing, and what became of each one's copy."""
    wanted, number = call.parameters, await _known(call)

    def page() -> RecipientPage:
        with mailings.recipients(call.out, number, wanted.state, after=wanted.after) as found:
            rows = list(islice(found, wanted.limit + 1))
        shown = rows[: wanted.limit]
        more = len(rows) > wanted.limit
        return RecipientPage([_recipient(row) for row in shown], shown[-1].key if more else None)

    return Answer(await call.run(page))


async def find_recipient(call: Call[OfNumber, Addressee]) -> Answer:
    """Say what became of one recipient's copy."""
    number = await _known(call)

    def found() -> Recipient:
        with mailings.recipients(call.out, number, email=call.body.email) as rows:
            return _recipient(next(rows))

    return Answer(await call.run(found))


async def replay_copy(call: Call[OfNumber, Addressee]) -> Answer:
    """Give the exact message that somebody got, byte for byte."""
    number = await _known(call)
    copy = await call.run(
        mailings.replay, call.out, number, call.body.email, call.settings, call.now
    )
    return Answer(Message(number, call.body.email, copy.sender, copy.data.decode("utf-8")))


async def pause_mailing(call: Call[OfNumber, None]) -> Answer:
    """Pause a mailing that is being sent or is scheduled.

    What sends it stops within a second; what is in flight is finished.
    """
    number = await _known(call)
    return Answer(_mailing(await call.run(mailings.pause, call.out, number, call.now)))


async def resume_mailing(call: Call[OfNumber, None]) -> Answer:
    """Let a mailing go on that was paused or held; `dispatch run` sends what is due."""
    number = await _known(call)
    return Answer(_mailing(await call.run(mailings.resume, call.out, number, call.now)))


async def cancel_mailing(call: Call[OfNumber, None]) -> Answer:
    """Cancel what is left of a mailing, for good.

    Copies that still wait are cancelled; those that left have left.
    """
    number = await _known(call)
    return Answer(_mailing(await call.run(mailings.cancel, call.out, number, call.now)))


async def retry_mailing(call: Call[OfNumber, Retry]) -> Answer:
    """Queue copies again that were deferred, bounced or are in doubt."""
    number = await _known(call)
    found, said = await call.run(mailings.retry, call.out, number, call.body.state, call.now)
    return Answer(Retried(_mailing(found), said))


async def verify_mailing(call: Call[OfNumber, None]) -> Answer:
    """Prove the sums: every candidate in one state, everything stored as it was frozen."""
    number = await _known(call)
    proof = await call.run(mailings.verify, call.out, number)
    return Answer(msgspec.convert(proof.to_json(), Proof))


async def _known(call: Call[OfNumber, Any] | Call[RecipientsAfter, None]) -> int:
    """The number of the mailing that is asked for.

    Raises:
        RefusalError: 404, there is none.
    """
    number = call.parameters.number
    if not await call.site.read(mailings.is_known, number):
        raise RefusalError(404, f"There is no mailing {number}.")
    return number


def _order(call: Call[Any, NewMailing], said: NewMailing) -> Order:
    if said.local_time and said.at is None:
        fault = Fault("It is needed with local_time.", pointer="#/at")
        raise RefusalError(422, "A local time needs the time, in at.", errors=[fault])
    return Order(
        out=call.out,
        names=tuple(texts(said.articles)),
        desk=said.desk,
        subject=said.subject,
        segment=said.segment,
        at=said.at,
        local_time=said.local_time,
        again=said.again,
        in_doubt=said.in_doubt or call.settings.in_doubt,
    )


def _mailing(found: mailings.Mailing) -> Mailing:
    return msgspec.convert(found.to_json(), Mailing)


def _recipient(found: mailings.Recipient) -> Recipient:
    return msgspec.convert(found.to_json(), Recipient)


_READ = ("editions:read",)
_WHOM = ("editions:read", "subscribers:read")
_SEND = ("editions:send",)
_MAKE = ("editions:send", "articles:write")


def _of_one(
    method: str,
    what: str,
    handler: Handler,
    scopes: tuple[str, ...],
    answer: type[Struct],
    body: type[Struct] | None = None,
    parameters: type[Struct] = OfNumber,
) -> Operation:
    """An operation on the mailing of a number."""
    return Operation(
        method,
        f"/mailings/{{number}}{what}",
        handler,
        scopes,
        {200: answer},
        parameters,
        bodies={JSON: body} if body else {},
        refusals=(404, 409),
    )


OPERATIONS = (
    Operation("GET", "/mailings", list_mailings, _READ, {200: MailingPage}, MailingsBefore),
    Operation(
        "POST",
        "/mailings",
        make_mailing,
        _MAKE,
        {200: Mailing, 201: Mailing},
        OrderedMailing,
        headers={"idempotency_key": "Idempotency-Key"},
        tells={"Location": "The address of the mailing."},
        bodies={JSON: NewMailing},
        refusals=(409,),
        most=_MOST,
    ),
    Operation(
        "POST",
        "/mailings/rehearse",
        rehearse_mailing,
        _READ,
        {200: MailingPlan},
        bodies={JSON: NewMailing},
        refusals=(409,),
        most=_MOST,
    ),
    Operation(
        "POST",
        "/mailings/test",
        send_test_copies,
        _SEND,
        {200: TestCopies},
        bodies={JSON: TestMailing},
        refusals=(409,),
        most=_MOST,
    ),
    _of_one("GET", "", show_mailing, _READ, MailingDetail),
    _of_one("GET", "/reasons", show_reasons, _WHOM, Reasons),
    _of_one(
        "GET", "/recipients", list_recipients, _WHOM, RecipientPage, parameters=RecipientsAfter
    ),
    _of_one("POST", "/recipients/find", find_recipient, _WHOM, Recipient, Addressee),
    _of_one("POST", "/copy", replay_copy, _WHOM, Message, Addressee),
    _of_one("GET", "/proof", verify_mailing, _READ, Proof),
    _of_one("POST", "/pause", pause_mailing, _SEND, Mailing),
    _of_one("POST", "/resume", resume_mailing, _SEND, Mailing),
    _of_one("POST", "/cancel", cancel_mailing, _SEND, Mailing),
    _of_one("POST", "/retry", retry_mailing, _SEND, Retried, Retry),
)
