"""Making an edition: its articles, rendered and composed once, and everything frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from dispatch.article import Article, Note
from dispatch.desk import Desk
from dispatch.errors import ArticleError, DeliveryError
from dispatch.mailing import dkim
from dispatch.mailing.composer import compose
from dispatch.mailing.composition import Composition
from dispatch.mailing.press import Person, Press
from dispatch.mailing.transport import Copy
from dispatch.newsroom import clicks, keys, sources
from dispatch.newsroom.desks import desk_slug, mail_address, make_desk
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.placing import place
from dispatch.newsroom.reading import read_article
from dispatch.readers.publishers import Publishers
from dispatch.renditions import digest, email
from dispatch.renditions.email import EmailRendition
from dispatch.renditions.language import lookup
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import articles as article_store
from dispatch.store import editions as store
from dispatch.store.editions import EditionRow

BODY = "body/"
"""What the names of frozen compositions begin with; the language that readers are spoken to in
follows. One is the edition's own, for those of whom no other is known."""
OWN = "language"
"""The name under which that language is frozen where each composition is wholly in its own."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an edition says: its articles, the lead story first, as they are rendered for a desk."""

    desk: Desk
    articles: tuple[Article, ...]
    subject: str
    rendition: EmailRendition
    templates: dict[str, bytes]
    """By name, all that were there to be used."""

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.rendition.notes


def find_desk(connection: Connection, name: str, settings: Settings) -> Desk:
    """The desk of this name or slug."""
    slug = desk_slug(name)
    row = article_store.desk(connection, slug)
    return make_desk(row.name if row else name, slug, settings, row.tag if row else None)


def placed_articles(
    connection: Connection,
    names: Sequence[str],
    settings: Settings,
    now: datetime,
    due: datetime | None,
) -> tuple[Article, ...]:
    """The articles in the files ``names``, each with its id, version and address.

    Args:
        due: when they are to be mailed to everybody; None: they are not.

    Raises:
        ArticleError: one cannot be read, or is embargoed until after ``due``.
    """
    publishers = Publishers.load(settings.publishers)
    found = []
    for name in names:
        article = read_article(name, settings, publishers)
        desk = find_desk(connection, article.desk or settings.desk, settings)
        file = None if name == sources.STANDARD_INPUT else sources.absolute(name)
        placed = place(connection, article, desk, file, now)
        if due and article.embargo is not None and article.embargo > due:
            raise ArticleError(
                f"{sources.label(name)} is embargoed until {article.embargo:%Y-%m-%d %H:%M %Z}, "
                f"and the newsletter would leave at {due:%Y-%m-%d %H:%M %Z}. "
                "Nothing was sent: give a later time with --at."
            )
        found.append(placed.article)
    if len({article.id for article in found}) < len(found):
        raise ArticleError("The same article is given twice. Nothing was sent.")
    return tuple(found)


def render(
    articles: Sequence[Article],
    desk: Desk,
    subject: str | None,
    settings: Settings,
    readers: Iterable[str] = (),
    *,
    collected: bool = False,
    more: bool = False,
) -> Content:
    """One article as itself, several as a digest, with marks for what is personal.

    Args:
        readers: the languages of those who get it, as they are known of them.
        collected: whether it is a digest however many there are.
        more: whether a digest says that the desk's page has more.
    """
    templates = open_templates(settings)
    most = settings.max_email_bytes
    if len(articles) == 1 and not collected:
        rendition = email.render(
            articles[0], desk, templates, max_bytes=most, personal=True, readers=readers
        )
    else:
        rendition = digest.render(
            articles, desk, templates, subject=subject, max_bytes=most, readers=readers, more=more
        )
    if subject is not None:
        rendition = replace(rendition, subject=subject)
    return Content(desk, tuple(articles), rendition.subject, rendition, _used(templates))


def freeze(
    connection: Connection,
    content: Content,
    *,
    segment: str | None,
    seed: str,
    token_key: str,
    made: datetime,
    settings: Settings,
    kind: str = "newsletter",
) -> int:
    """Record the edition and everything that it is made of; returns its number.

    Args:
        kind: as in the table ``editions``.
    """
    desk = content.desk
    row = EditionRow(0, desk.slug, content.subject, segment, made, seed, token_key, kind)
    number = store.add(connection, row)
    store.add_articles(connection, number, [(a.id or "", a.version or 1) for a in content.articles])
    own = _counted(connection, content, row, number, settings)
    spoken = {own.language: own, **{tag: own.spoken(tag) for tag in own.translated}}
    bodies = {
        f"{BODY}{tag}": composed(replace(content, rendition=said), number, seed, made, settings)
        for tag, said in spoken.items()
    }
    store.freeze(
        connection,
        number,
        {**{name: body.to_bytes() for name, body in bodies.items()}, **content.templates},
    )
    return number


def _counted(
    connection: Connection, content: Content, row: EditionRow, number: int, settings: Settings
) -> EmailRendition:
    """The rendition, with counted links and openings where the desk has them turned on."""
    own = settings.for_desk(row.desk)
    if row.kind not in clicks.COUNTED or (own.clicks, own.opens) == ("off", "off"):
        return content.rendition
    return clicks.counted(
        connection,
        content.rendition,
        content.desk,
        number,
        keys.tokens(connection, settings, row.made).signing_with(row.token_key),
        clicks=own.clicks == "on",
        opens=own.opens == "on",
    )


def composed(
    content: Content, number: int, seed: str, made: datetime, settings: Settings
) -> Composition:
    """The message, but for what is personal; its readers are spoken to in its own language."""
    own = settings.for_desk(content.desk.slug)
    return compose(
        content.rendition,
        content.desk,
        edition=number,
        seed=seed,
        made=made,
        return_path=mail_address(own.return_path, content.desk),
        unsubscribe_address=mail_address(own.unsubscribe_address, content.desk),
    )


def thawed(connection: Connection, number: int) -> tuple[EditionRow, Composition]:
    """An edition as it was frozen, as it is for readers whose language is not known.

    Raises:
        DeliveryError: there is no such mailing, or what it was made of is gone.
    """
    row, own, _ = _thawed(connection, number)
    return row, own


def _thawed(
    connection: Connection, number: int
) -> tuple[EditionRow, Composition, dict[str, Composition]]:
    """The same, and by its tag in lower case each language that readers are spoken to in."""
    row = store.edition(connection, number)
    if row is None:
        raise DeliveryError(
            f"There is no mailing {number}. `dispatch mailing list` shows those that are."
        )
    found = {
        name.removeprefix(BODY).lower(): Composition.from_bytes(data)
        for name, data in store.frozen(connection, number, BODY).items()
    }
    # What is wholly in each language says which one is the edition's own.
    named = store.frozen(connection, number, OWN).get(OWN)
    if named is not None:
        own = found.get(named.decode().lower())
    else:
        own = next((body for tag, body in found.items() if tag == body.language.lower()), None)
    if own is None:
        raise DeliveryError(
            f"What mailing {number} was made of is not in the database any more. "
            "Restore a backup of it."
        )
    return row, own, found


class EditionPress:
    """Makes the copies of an edition: composed, and signed where the desk has DKIM keys.

    It holds no state that changes: threads may share it.

    Args:
        spoken: by their tags in lower case, those for readers who are spoken to in a language.
    """

    def __init__(
        self, composed: Press, signer: dkim.Signer | None, spoken: Mapping[str, Press] | None = None
    ) -> None:
        self._composed = composed
        self._signer = signer
        self._spoken = spoken or {}

    @property
    def asks_for(self) -> frozenset[str]:
        """What has to be given for each copy besides a name (:attr:`Person.given`)."""
        return self._composed.asks_for

    def copy(
        self,
        key: int,
        email: str,
        domain: str,
        name: str | None,
        language: str | None = None,
        given: Mapping[str, str] | None = None,
    ) -> Copy:
        """A recipient's copy; the same bytes whenever it is made.

        Args:
            language: the recipient's, as it is known; may be anything.
            given: what :attr:`asks_for` names.

        Raises:
            DeliveryError: the address cannot be mailed, or something is not given.
        """
        composed = lookup(language, self._spoken) if language else None
        sender, data = (composed or self._composed).copy(Person(key, email, name, given or {}))
        if self._signer:
            data = self._signer.sign(data) + data
        return Copy(key, sender, email, domain, data)


def press(
    connection: Connection,
    number: int,
    settings: Settings,
    now: datetime,
    signing: Sequence[dkim.Key] | None = None,
) -> EditionPress:
    """The press of an edition.

    Args:
        signing: the DKIM keys of all desks; None: read from their folder.

    Raises:
        DeliveryError: there is no such mailing, or a key that it needs is gone.
    """
    row, composition, spoken = _thawed(connection, number)
    tokens = keys.tokens(connection, settings, now).signing_with(row.token_key)
    every_key = dkim.load(settings.dkim) if signing is None else signing
    own = dkim.keys_for(every_key, composition.from_domain)
    presses = {tag: Press(said, tokens) for tag, said in spoken.items()}
    signer = dkim.Signer(own) if own else None
    return EditionPress(presses[composition.language.lower()], signer, presses)


def _used(templates: Templates) -> dict[str, bytes]:
    return {
        f"templates/{name}": data for name, data in templates.files("email/", "locale/").items()
    }
