"""What the tests of composing compose: one edition, and what its copies have to hold."""

from __future__ import annotations

import email
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import EmailPolicy, strict
from functools import cache
from html import escape
from typing import cast

from tests.renditions.email_samples import DESK, FERRY

from dispatch.article import Article
from dispatch.desk import Desk
from dispatch.mailing.composer import Composition, Person, Press, compose
from dispatch.mailing.tokens import Tokens
from dispatch.renditions import email as newsletter
from dispatch.renditions.email import EmailRendition
from dispatch.renditions.message import PAGES, bounded_name
from dispatch.renditions.slots import SHARED, Slot
from dispatch.renditions.templates import Templates

TOKENS = Tokens(["a key for tests, long enough", "an older key, long enough"])
MADE = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
ANN = Person(500, "ann@example.org", "Ann Abelard")


@cache
def rendition(article: Article = FERRY, desk: Desk = DESK) -> EmailRendition:
    return newsletter.render(article, desk, Templates(), personal=True)


def composed(
    rendered: EmailRendition | None = None,
    desk: Desk = DESK,
    *,
    edition: int = 7,
    seed: str = "5eed" * 8,
    made: datetime = MADE,
    return_path: str = "bounces@news.example.org",
    unsubscribe_address: str = "unsubscribe@news.example.org",
) -> Composition:
    return compose(
        rendered or rendition(),
        desk,
        edition=edition,
        seed=seed,
        made=made,
        return_path=return_path,
        unsubscribe_address=unsubscribe_address,
    )


@cache
def press() -> Press:
    return Press(composed(), TOKENS)


def copy(person: Person = ANN) -> bytes:
    return press().copy(person)[1]


def read(message: bytes, policy: EmailPolicy = strict) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(message, policy=policy))


def contents(message: bytes) -> list[str]:
    """The text and the HTML of a message, with the line ends of a text file."""
    parts = cast(Sequence[EmailMessage], list(read(message).iter_parts()))
    return [part.get_content().replace("\r\n", "\n") for part in parts]


def expected(rendered: EmailRendition, person: Person, desk: Desk = DESK) -> list[str]:
    """What the text and the HTML of somebody's copy have to be, made in the simplest way."""
    return [
        _filled(rendered.text.decode(), rendered.placed, person, desk, html=False),
        _filled(rendered.html.decode(), rendered.placed, person, desk, html=True),
    ]


def _filled(
    text: str, placed: Mapping[str, Slot], person: Person, desk: Desk, *, html: bool
) -> str:
    for mark, slot in placed.items():
        if slot.kind in PAGES:
            page = PAGES[slot.kind]
            said = f"{desk.site_url}/{desk.slug}/{page}/{TOKENS.link(person.key)}"
        elif slot.kind in SHARED:
            said = slot.otherwise
        else:
            values = {"name": bounded_name((person.name or "")[:1000]), "email": person.email}
            value = values[slot.kind]
            said = f"{slot.before}{value}{slot.after}" if value else slot.otherwise
        text = text.replace(mark, escape(said) if html else said)
    return text
