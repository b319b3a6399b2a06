"""What one reader's copy costs: spliced into what was composed once, or made anew as scripts do.

python -m benchmarks.composing
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from jinja2 import Environment
from markupsafe import Markup
from premailer import transform

from dispatch.article import Article, Html, Paragraph
from dispatch.desk import Desk, Mailbox
from dispatch.mailing.composer import Composition, Person, Press, compose
from dispatch.mailing.tokens import Tokens
from dispatch.renditions import email
from dispatch.renditions.templates import Templates

_DESK = Desk(
    name="World",
    slug="world",
    publisher="The Meridian Courier",
    site_url="https://news.example.org",
    sender=Mailbox("Meridian World", "world@news.example.org"),
    contact="desk@news.example.org",
    postal_address="14 Quay Street, Port Alder",
    usage_terms="Free to use with credit.",
    rights="© {year} {publisher}",
)
_WORDS = "The gates close on Sunday for the first spring tide of the season, and again at night. "
_ARTICLE = Article(
    headline="Spring tide closes the lower quay on Sunday",
    body=tuple(Paragraph(Html(_WORDS * 5)) for _ in range(18)),
    language="en",
    published=datetime(2026, 11, 25, 6, tzinfo=UTC),
    path="2026/11/25/spring-tide",
    id="tag:news.example.org,2026:spring-tide",
    version=1,
)
_TOKENS = Tokens(["a key for measuring, long enough"])
_COPIES = 5000
_PLAIN_COPIES = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds for one copy (median of the runs), and bytes of it."""

    name: str
    seconds: float
    size: int


def composition() -> Composition:
    """A newsletter of about 30 KB."""
    rendition = email.render(_ARTICLE, _DESK, Templates(), personal=True)
    return compose(
        rendition,
        _DESK,
        edition=1,
        seed="5eed" * 8,
        made=datetime(2026, 11, 25, 7, tzinfo=UTC),
        return_path="bounces@news.example.org",
        unsubscribe_address="unsubscribe@news.example.org",
    )


def costs(runs: int = 9) -> Iterator[Cost]:
    """Both in turn, so that a machine's changing speed meets both."""
    press = Press(composition(), _TOKENS)
    plain = _plain()
    ways: dict[str, tuple[Callable[[Person], bytes], int, str]] = {
        "spliced": (lambda person: press.copy(person)[1], _COPIES, "Ann Abelard"),
        "spliced, a name beyond ASCII": (lambda p: press.copy(p)[1], _COPIES, "Zoë Müller"),
        "a plain loop: Jinja, premailer, EmailMessage": (plain, _PLAIN_COPIES, "Ann Abelard"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    sizes: dict[str, int] = {}
    for _ in range(runs):
        for name, (make, count, called) in ways.items():
            people = [Person(n, f"reader{n}@example.org", called) for n in range(count)]
            begun = time.perf_counter()
            for person in people:
                message = make(person)
            seconds[name].append((time.perf_counter() - begun) / count)
            sizes[name] = len(message)
    for name in ways:
        yield Cost(name, statistics.median(seconds[name]), sizes[name])


def _plain() -> Callable[[Person], bytes]:
    """What most scripts do: the same email from the same template, for each recipient anew."""
    templates = Templates()
    language = templates.language(_ARTICLE, _DESK)
    values = email.frame(_DESK, templates, language, _DESK.url(_ARTICLE), None)
    body = Markup("".join(f"<p>{block.html}</p>" for block in _ARTICLE.body))  # type: ignore[union-attr]
    document = templates.render(
        "email/article.html",
        _ARTICLE,
        _DESK,
        body=body,
        lead=None,
        place=None,
        preheader="",
        **values,
    )
    template = Environment(autoescape=True).from_string(
        document.replace("</h1>", "</h1><p>Hello {{ name }},</p>").replace(
            "https://news.example.org/world/unsubscribe", "{{ link }}"
        )
    )
    text = email.render(_ARTICLE, _DESK, templates).text.decode()

    def make(person: Person) -> bytes:
        link = f"https://news.example.org/world/unsubscribe/{_TOKENS.link(person.key)}"
        message = EmailMessage(policy=SMTP)
        message["From"] = "Meridian World <world@news.example.org>"
        message["To"] = f"{person.name} <{person.email}>"
        message["Subject"] = _ARTICLE.headline
        message["List-Unsubscribe"] = f"<{link}>"
        message.set_content(f"Hello {person.name},\n\n{text}\n{link}\n")
        html = transform(template.render(name=person.name, link=link), keep_style_tags=True)
        message.add_alternative(html, subtype="html")
        return message.as_bytes()

    return make


def main() -> None:
    found = list(costs())
    for cost in found:
        print(f"{cost.seconds * 1e6:9.1f} µs  {cost.size:7,} bytes  {cost.name}")
    print(f"{found[-1].seconds / found[0].seconds:9,.0f} times as much for the plain loop")


if __name__ == "__main__":
    main()
