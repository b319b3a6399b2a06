"""Marks: what a template may do with a reader's own values, and what is refused, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from tests.renditions.email_samples import ARABIC_DESK, CISTERNS, DESK, FERRY, article

from dispatch.errors import TemplateError
from dispatch.renditions import email
from dispatch.renditions.email import EmailRendition
from dispatch.renditions.language import Language
from dispatch.renditions.recipient import Recipient
from dispatch.renditions.slots import Slot, Slots, check_html, cut
from dispatch.renditions.templates import Templates, shipped


def render(folder: Path | None = None) -> EmailRendition:
    return email.render(FERRY, DESK, Templates(folder), personal=True)


def kinds(text: bytes, rendition: EmailRendition) -> list[str]:
    parts = cut(text.decode(), rendition.placed)
    return [part.kind for part in parts if isinstance(part, Slot)]


# What ships --------------------------------------------------------------------------------------


def test_both_parts_greet_their_reader_and_have_links_of_their_own() -> None:
    rendition = render()
    links = ["browser_url", "preferences_url", "unsubscribe_url"]
    before = [kind for link in links for kind in (link, "label")]
    behind = [kind for link in links for kind in ("label", link)]
    assert kinds(rendition.html, rendition) == ["name", *before, "email"]
    assert kinds(rendition.text, rendition) == ["name", "email", *behind]
    assert Slot("name", "Hello ", ",", "Hello reader,") in rendition.placed.values()


def test_the_message_is_left_to_the_mailing() -> None:
    assert render().eml == b""


def test_what_is_not_personal_has_no_marks() -> None:
    rendition = email.render(FERRY, DESK, Templates())
    assert rendition.placed == {}
    assert b"Hello" not in rendition.html


def test_beside_its_marks_a_personal_rendition_is_the_public_one() -> None:
    public, personal = email.render(FERRY, DESK, Templates()), render()
    html = personal.html.decode()
    for slot, shown in (
        ("browser_url", DESK.url(FERRY)),
        ("preferences_url", "https://news.example.org/world/preferences"),
        ("unsubscribe_url", "https://news.example.org/world/unsubscribe"),
    ):
        (mark,) = (mark for mark, found in personal.placed.items() if found.kind == slot)
        html = html.replace(mark, shown)
    for mark, found in personal.placed.items():
        html = html.replace(mark, found.otherwise) if found.kind == "label" else html
    html = re.sub(r"<p[^>]*>m[0-9a-f]{23}</p>\n", "", html)
    assert html == public.html.decode()


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ar", "ja"])
def test_every_language_that_ships_greets_with_and_without_a_name(language: str) -> None:
    sample = replace(FERRY, language=language)
    rendition = email.render(sample, DESK, Templates(), personal=True)
    (greeting,) = (slot for slot in rendition.placed.values() if slot.kind == "name")
    assert greeting.before + greeting.after
    assert greeting.otherwise
    (reason,) = (slot for slot in rendition.placed.values() if slot.kind == "email")
    assert "World" in reason.before + reason.after
    assert "World" in reason.otherwise
    assert language == "en" or "reader" not in greeting.otherwise


def test_a_greeting_from_right_to_left_is_arabic() -> None:
    rendition = email.render(CISTERNS, ARABIC_DESK, Templates(), personal=True)
    (greeting,) = (slot for slot in rendition.placed.values() if slot.kind == "name")
    assert greeting == Slot("name", "مرحبًا ", "،", "مرحبًا بك،")


def test_a_copy_stays_below_the_size_however_long_its_values_are() -> None:
    long = article(*["Rain all day. " * 20] * 400)
    rendition = email.render(long, DESK, Templates(), max_bytes=30_000, personal=True)
    room = 400 * sum(kind != "label" for kind in kinds(rendition.html, rendition))
    assert 29_000 < len(rendition.html) + room <= 30_000


# Marks -------------------------------------------------------------------------------------------


def test_marks_are_the_same_for_the_same_content_and_in_no_other() -> None:
    slot = Slot("email")
    assert Slots.of([FERRY], DESK).mark(slot) == Slots.of([FERRY], DESK).mark(slot)
    assert Slots.of([FERRY], DESK).mark(slot) != Slots.of([CISTERNS], DESK).mark(slot)
    assert re.fullmatch("m[0-9a-f]{23}", Slots.of([FERRY], DESK).mark(slot))


def test_an_article_that_quotes_a_mark_of_another_is_data() -> None:
    quoted = next(iter(render().placed))
    rendition = email.render(article(f"See {quoted}."), DESK, Templates(), personal=True)
    assert quoted.encode() in rendition.html
    assert quoted not in rendition.placed
    assert kinds(rendition.html, rendition)[0] == "name"


# What a newsroom's own templates may do -------------------------------------------------------------


class Own:
    """A newsroom's own templates: the shipped footer, with more in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "email").mkdir()

    def write(self, name: str, text: str) -> None:
        (self.folder / "email" / name).write_text(text, encoding="utf-8")

    def with_footer(self, more: str) -> EmailRendition:
        footer = (shipped() / "email" / "footer.html").read_text(encoding="utf-8")
        self.write("footer.html", f"{footer}{more}\n")
        return render(self.folder)

    def refusal(self, more: str) -> str:
        with pytest.raises(TemplateError) as refused:
            self.with_footer(more)
        return str(refused.value)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    yield Own(tmp_path)


@pytest.mark.parametrize(
    "more",
    [
        "<p>{{ recipient.name }}</p>",
        "<p>For {{ recipient.name }}, at {{ recipient.email }}.</p>",
        '<p title="A letter for {{ recipient.name }}">x</p>',
        '<img src="https://example.org/a.png" alt="{{ recipient.name }}" width="5">',
        '<a href="{{ recipient.unsubscribe_url }}">{{ recipient.unsubscribe_url }}</a>',
        '<a href="{{ unsubscribe_url }}">x</a>',
        "<p>{{ lang.gettext('Hello %(name)s,') % {'name': recipient.name} }}</p>",
        "<p>{{ recipient.say('Dear %(name)s of %(town)s', 'Dear all', town='Tern') }}</p>",
        "<pre>{{ recipient.email }}</pre>",
        "<p>{{ recipient.name ~ '!' }}</p>",
    ],
)
def test_a_value_may_stand_in_text_and_in_attributes(own: Own, more: str) -> None:
    rendition = own.with_footer(more)
    assert len(kinds(rendition.html, rendition)) > 5


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ("<!-- for {{ recipient.name }} -->", "recipient.name stands in a comment", "print it in"),
        (
            "<!--[if mso]><p>{{ recipient.email }}</p><![endif]-->",
            "recipient.email stands in a comment, such as those for Outlook",
            "print it in text",
        ),
        (
            '<style data-premailer="ignore">.x::after {content: "{{ recipient.name }}"}</style>',
            "stands in <style>",
            "print it in text",
        ),
        ("<script>a = '{{ recipient.email }}'</script>", "stands in <script>", "print it in text"),
        (
            '<p style="color: {{ recipient.name }}">x</p>',
            'stands in style="margin:0 0 20px; color:{{ recipient.name }}" of <p>.',
            "print it in text",
        ),
        ('<p onclick="{{ recipient.name }}">x</p>', "stands in onclick", "print it in text"),
        (
            '<a href="https://t.example.org/?to={{ recipient.unsubscribe_url }}">x</a>',
            'stands in href="https://t.example.org/?to={{ recipient.unsubscribe_url }}" of <a>.',
            "print it alone",
        ),
        (
            '<a href="{{ recipient.preferences_url }}?from=mail">x</a>',
            "recipient.preferences_url stands in href=",
            "print it alone",
        ),
        ('<a href="mailto:{{ recipient.email }}">x</a>', "stands in href=", "It is no address"),
        ('<a href="{{ recipient.email }}">x</a>', "stands in href=", "It is no address"),
        (
            '<img src="{{ recipient.browser_url }}" alt="" width="5">',
            "recipient.browser_url stands in src=",
            "cannot be filled in",
        ),
        (
            '<img src="https://t.example.org/{{ recipient.email }}.gif" alt="" width="1">',
            "recipient.email stands in src=",
            "cannot be filled in",
        ),
        (
            '<iframe srcdoc="{{ recipient.name }}"></iframe>',
            "stands in srcdoc=",
            "print it in text",
        ),
        (
            '<svg><a xlink:href="{{ recipient.name }}">x</a></svg>',
            "stands in xlink:href=",
            "print it in text",
        ),
        (
            '<meta http-equiv="refresh" content="0;url={{ recipient.browser_url }}">',
            "stands in content=",
            "print it in text",
        ),
        ('<p {{ recipient.name }}="x">y</p>', "inside a tag", "in quotation marks"),
        ("<x{{ recipient.name }}>y</x{{ recipient.name }}>", "inside a tag", "Print it in text"),
        ("<p>{{ recipient.name|upper }}</p>", "recipient.name was cut or changed", "without a"),
        ("<p>{{ recipient.email|string|truncate(15) }}</p>", "was cut or changed", "as it is"),
        ("<p>{{ (recipient.email|string)[3:] }}</p>", "was cut or changed", "as it is"),
        (
            "<p>{{ recipient.say('Hello,', 'Hello,') }}</p>",
            "footer.html, line 14: recipient.say('Hello,', …) needs",
            "print a text without them",
        ),
        (
            "<p>{{ recipient.say('%(name)s, %(name)s', 'x') }}</p>",
            "one of them and once",
            "Correct it",
        ),
        ("<p>{{ recipient.name[0] }}</p>", "footer.html, line", ""),
        ("<p>{{ recipient.name|length }}</p>", "footer.html, line", ""),
        ("<p>{{ recipient.name|first }}</p>", "footer.html", ""),
        ("<p>{{ recipient.nmae }}</p>", "footer.html, line", "has no attribute 'nmae'"),
        (
            "{% set x = recipient.placed.clear() %}",
            "footer.html",
            "not safely callable|unsafe|may not",
        ),
    ],
)
def test_a_value_that_could_not_be_filled_in_is_refused(
    own: Own, more: str, where: str, what: str
) -> None:
    said = own.refusal(more)
    assert where in said
    assert re.search(what, said)
    assert "email/" in said


def test_a_newsletter_without_a_link_to_unsubscribe_is_refused(own: Own) -> None:
    own.write("footer.html", "")
    with pytest.raises(TemplateError, match=r"article\.html: the newsletter has no link to unsub"):
        render(own.folder)


def test_so_is_its_plain_text(own: Own) -> None:
    own.write("article.txt", "Hello {{ recipient.name }}")
    with pytest.raises(TemplateError, match=r"article\.txt: the newsletter has no link to unsub"):
        render(own.folder)


def test_templates_of_before_there_were_mailings_go_on_working(own: Own) -> None:
    own.write(
        "footer.html",
        '<p><a href="{{ url }}">x</a> <a href="{{ unsubscribe_url }}">{{ preferences_url }}</a></p>',
    )
    rendition = render(own.folder)
    assert kinds(rendition.html, rendition)[-2:] == ["unsubscribe_url", "preferences_url"]


def test_a_mark_outside_of_the_document_is_refused() -> None:
    recipient = Recipient(Slots.of([FERRY], DESK), Language("en"))
    mark = str(recipient.unsubscribe_url)
    check_html(f"<p>{mark}</p>", recipient.placed, "t")
    with pytest.raises(TemplateError, match="inside a tag or outside"):
        check_html(f"<!DOCTYPE html {mark}><p>{mark}</p>", recipient.placed, "t")


def test_every_place_of_a_mark_is_looked_at() -> None:
    """Wherever in the tree a mark is, in text, behind an element or in an attribute."""
    recipient = Recipient(Slots.of([FERRY], DESK), Language("en"))
    link, name = str(recipient.unsubscribe_url), str(recipient.name)
    html = (
        f'<div title="{name}">{name}<b>{name}</b>{name}<!-- x -->{name}<a href="{link}"></a></div>'
    )
    check_html(html, recipient.placed, "t")
    assert etree.fromstring(html, etree.HTMLParser()) is not None
