"""Articles: read, check, publish, and see what was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from dispatch import article_json
from dispatch.errors import DispatchError
from dispatch.newsroom import check, publish, published, reading, sources
from dispatch.newsroom.publish import Outcome
from dispatch.store.published import Summary
from dispatch.web.api import lanes, problems
from dispatch.web.api.operations import JSON, Answer, Call, Nothing, Operation
from dispatch.web.api.problems import Fault, RefusalError
from dispatch.web.api.vocabulary import After, Desk, Given, Limit, Note, Time

_MOST = 20_000_000
"""Bytes of an article as JSON; DISPATCH_MAX_ARTICLE_BYTES limits the article itself."""
_EARLIEST, _LATEST = 1900, 2199
"""Years, as the readers of articles have it."""


# What is asked for -------------------------------------------------------------------------------


class HandedIn(Given):
    """A finished article."""

    name: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_][A-Za-z0-9._: -]{0,99}$",
            description="What it is called where it comes from, as a file's name or your system's "
            "id. Under the same name a later text is the next version of the same article.",
            examples=["harbour.md"],
        ),
    ]
    text: Annotated[str, Meta(min_length=1, max_length=5_000_000)]
    """Plain text, Markdown with front matter, or a web page; what it is, is found out."""


class NewArticle(HandedIn):
    """An article to be published. What is said here wins over the article's own."""

    desk: Annotated[str, Meta(min_length=1, max_length=100, examples=["World"])] | None = None
    """The desk it appears under."""
    published: Time | None = None
    """The time of publication."""
    slug: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """How it is named in its address."""
    strict: bool = False
    """Refuse it where the reader was not sure of it."""
    dry_run: bool = False
    """Say what would happen, and write nothing."""


class ArticlesAfter(Given):
    desk: Desk | None = None
    limit: Limit = 100
    after: After = 0


class Address(Given):
    desk: Annotated[str, Meta(min_length=1, max_length=100, examples=["world"])]
    """The desk's name in addresses."""
    day: Annotated[date, Meta(examples=["2026-10-09"])]
    """The day in its address."""
    slug: Annotated[str, Meta(min_length=1, max_length=300, examples=["harbour-reopens"])]
    """How it is named in its address."""


class AddressOfVersion(Address):
    version: Annotated[int, Meta(ge=1, le=1_000_000_000)]


# What is answered --------------------------------------------------------------------------------


class Files(Struct, frozen=True):
    """Its files, in the newsroom's folder. Null: not yet, as it is embargoed."""

    web: str | None
    email_html: str | None
    email_text: str | None
    eml: str | None
    wire: str | None
    wire_ascii: str | None


class Feeds(Struct, frozen=True):
    """The desk's feeds, in the newsroom's folder."""

    rss: str | None
    atom: str | None
    json: str | None


class Published(Struct, frozen=True):
    """What became of an article."""

    action: Literal["published", "updated", "unchanged"]
    id: str
    version: int
    desk: str
    slug: str
    headline: str
    files: Files
    feeds: Feeds
    notes: list[Note]


class Findings(Struct, frozen=True):
    """What would embarrass the desk; errors first."""

    findings: list[Note]


class Author(Struct, frozen=True):
    name: str
    role: str | None
    desk: str | None
    bio: str | None


class Block(Struct, frozen=True):
    kind: str
    text: str
    html: str


class Source(Struct, frozen=True):
    publisher: str | None
    title: str
    url: str | None


class Article(Struct, frozen=True):
    """What is understood of an article."""

    reader: str | None
    headline: str
    standfirst: str | None
    slug: str | None
    desk: str | None
    language: str | None
    published: datetime | None
    updated: datetime | None
    dateline: str | None
    authors: list[Author]
    keywords: list[str]
    body: list[Block]
    sources: list[Source]
    notes: list[Note]
    embargo: datetime | None
    editors_note: str | None
    rights: str | None
    priority: int | None
    id: str | None
    extra: dict[str, str]


class ArticleSummary(Struct, frozen=True):
    """An article that was published."""

    id: str
    desk: str
    day: date
    """The day in its address."""
    slug: str
    headline: str
    published: datetime
    updated: datetime
    version: int
    public_version: int | None
    """The newest that became public; null: it is embargoed."""


class ArticlePage(Struct, frozen=True):
    """Articles, those that came last first."""

    articles: list[ArticleSummary]
    next: int | None
    """What the next page's after is; null on the last page."""


class Version(Struct, frozen=True):
    version: int
    made: datetime
    headline: str


class ArticleDetail(ArticleSummary, frozen=True):
    """An article that was published, and its versions, the newest first."""

    versions: list[Version]


# What is done ------------------------------------------------------------------------------------


async def list_articles(call: Call[ArticlesAfter, None]) -> Answer:
    """List what was published, what came last first."""
    wanted = call.parameters
    found = await call.site.read(published.listed, wanted.desk, wanted.after, wanted.limit + 1)
    shown = found[: wanted.limit]
    more = len(found) > wanted.limit
    return Answer(ArticlePage([_summary(one) for one in shown], shown[-1].key if more else None))


async def show_article(call: Call[Address, None]) -> Answer:
    """Show an article that was published, and which versions there are of it."""
    where = call.parameters
    found = await call.site.read(published.at, where.desk, where.day, where.slug)
    if found is None:
        raise RefusalError(404, "There is no article at this address.")
    versions = await call.site.read(published.versions, found.key)
    shown = [Version(v.number, v.made, v.headline) for v in versions]
    return Answer(ArticleDetail(**msgspec.structs.asdict(_summary(found)), versions=shown))


async def show_version(call: Call[AddressOfVersion, None]) -> Answer:
    """Show one version of an article, as it was understood."""
    where = call.parameters
    article = await call.site.read(
        published.version, where.desk, where.day, where.slug, where.version
    )
    if article is None:
        raise RefusalError(404, "There is no such version of an article.")
    return Answer(msgspec.convert(article_json.summary(article), Article))


async def read_article(call: Call[Nothing, HandedIn]) -> Answer:
    """Say what is understood of an article; nothing is written."""

    def read() -> Article:
        with sources.handed_in(texts([call.body])):
            found = reading.read_article(call.body.name, call.settings)
        return msgspec.convert(article_json.summary(found), Article)

    return Answer(await call.run(read))


async def check_article(call: Call[Nothing, HandedIn]) -> Answer:
    """Say what would embarrass the desk; nothing is written."""

    def checked() -> list[check.Finding]:
        with sources.handed_in(texts([call.body])):
            return check.check_article(call.body.name, call.settings, call.now)

    findings = await call.run(checked)
    for finding in findings:
        _raise_ours(finding.error, call)
    return Answer(Findings([Note(f.level, f.where, f.message) for f in findings]))


async def publish_article(call: Call[Nothing, NewArticle]) -> Answer:
    """Publish an article: email, feeds, web page and wire copy.

    Publishing the same article again changes nothing, so that a program which got no answer
    may simply ask again; a changed one becomes its next version at the same address. 201:
    there is something new; 200: there is not, or it was a rehearsal.
    """
    said = call.body
    if said.published is not None and not _EARLIEST <= said.published.year <= _LATEST:
        fault = Fault(f"It is to be in {_EARLIEST} to {_LATEST}.", pointer="#/published")
        raise RefusalError(422, "The time of publication makes no sense.", errors=[fault])
    options = publish.Options(
        call.out, _desk(said.desk), said.published, said.slug, said.strict, said.dry_run
    )
    outcome = await call.run_in(lanes.newsroom, _published, call, options)
    if outcome.action == "refused":
        _raise_ours(outcome.error, call)
        fault = Fault(outcome.notes[-1].message, pointer="#/text")
        raise RefusalError(422, fault.detail, errors=[fault])
    new = outcome.action in ("published", "updated") and not said.dry_run
    return Answer(_told(outcome, call.out), 201 if new else 200)


def _published(call: Call[Nothing, NewArticle], options: publish.Options) -> Outcome:
    outcomes: list[Outcome] = []
    watch = publish.Watch(outcomes.append, waiting=_refuse_to_wait)
    with sources.handed_in(texts([call.body])):
        publish.publish([call.body.name], options, call.settings, call.now, watch)
    return outcomes[0]


def _refuse_to_wait() -> None:
    raise RefusalError(
        503,
        "Somebody else is publishing at the moment. Nothing was done: ask again later.",
        headers={"Retry-After": str(lanes.AGAIN_AFTER)},
    )


def _raise_ours(error: Exception | None, call: Call[Nothing, Any]) -> None:
    """Raise what stopped an article where that is not the article: a template, or we ourselves."""
    is_ours = isinstance(error, DispatchError) and problems.of(error, call.settings) is None
    if error is not None and (is_ours or not isinstance(error, DispatchError)):
        raise error


def _desk(name: str | None) -> str | None:
    if name is not None and (not name.strip() or not name.isprintable()):
        fault = Fault("A desk needs a name, on one line.", pointer="#/desk")
        raise RefusalError(422, fault.detail, errors=[fault])
    return name


def texts(articles: Sequence[HandedIn]) -> Mapping[str, bytes]:
    """What articles say, by their names.

    Raises:
        RefusalError: two have the same name.
    """
    found = {article.name: article.text.encode() for article in articles}
    if len(found) < len(articles):
        fault = Fault("Two of them have the same name.", pointer="#/articles")
        raise RefusalError(422, "Give each article a name of its own.", errors=[fault])
    return found


def _told(outcome: Outcome, out: Path) -> Published:
    def within(files: Mapping[str, str | None]) -> dict[str, str | None]:
        return {k: v and Path(v).relative_to(out).as_posix() for k, v in files.items()}

    return msgspec.convert(
        {
            "action": outcome.action,
            "id": outcome.id,
            "version": outcome.version,
            "desk": outcome.desk,
            "slug": outcome.slug,
            "headline": outcome.headline,
            "files": within(outcome.files),
            "feeds": within(outcome.feeds),
            "notes": [Note(n.level, n.where, n.message) for n in outcome.notes],
        },
        Published,
    )


def _summary(found: Summary) -> ArticleSummary:
    return msgspec.convert(found, ArticleSummary, from_attributes=True)


_READ, _WRITE = ("articles:read",), ("articles:write",)

OPERATIONS = (
    Operation("GET", "/articles", list_articles, _READ, {200: ArticlePage}, ArticlesAfter),
    Operation(
        "GET",
        "/articles/{desk}/{day}/{slug}",
        show_article,
        _READ,
        {200: ArticleDetail},
        Address,
        refusals=(404,),
    ),
    Operation(
        "GET",
        "/articles/{desk}/{day}/{slug}/versions/{version}",
        show_version,
        _READ,
        {200: Article},
        AddressOfVersion,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/articles",
        publish_article,
        _WRITE,
        {200: Published, 201: Published},
        bodies={JSON: NewArticle},
        most=_MOST,
    ),
    Operation(
        "POST",
        "/articles/read",
        read_article,
        _READ,
        {200: Article},
        bodies={JSON: HandedIn},
        most=_MOST,
    ),
    Operation(
        "POST",
        "/articles/check",
        check_article,
        _READ,
        {200: Findings},
        bodies={JSON: HandedIn},
        most=_MOST,
    ),
)
