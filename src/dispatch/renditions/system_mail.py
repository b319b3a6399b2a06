"""The mail that Dispatch itself writes: to confirm, to welcome, and to say that nothing changed.

Each is wholly in one language, so that Arabic is set from right to left in every
part of it. Nothing that somebody typed into a form is in it, not even a name: a
confirmation goes to whoever's address was typed, and must not carry messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from dispatch.desk import Desk
from dispatch.markup import one_line, printable
from dispatch.renditions import email, email_text, slots
from dispatch.renditions.email import EmailRendition, clean_text
from dispatch.renditions.inlining import inline_css
from dispatch.renditions.language import Language, lookup
from dispatch.renditions.plaintext import wrap
from dispatch.renditions.recipient import Recipient
from dispatch.renditions.slots import Kind, Slots
from dispatch.renditions.templates import Templates

KINDS = ("confirm", "welcome", "already")
"""``confirm`` asks whether they meant it; ``welcome`` thanks; ``already`` says that they are
subscribers."""

_WANTED: Mapping[str, Kind] = {
    "confirm": "confirm_url",
    "welcome": "unsubscribe_url",
    "already": "preferences_url",
}


def render(
    kind: str, desk: Desk, templates: Templates, *, within: timedelta
) -> dict[str, EmailRendition]:
    """The mail in every language that there are labels in, by their tags.

    Args:
        kind: one of :data:`KINDS`.
        templates: ``mail/{kind}.html``, with ``mail/frame.html`` and what that includes, and
            ``mail/{kind}.txt``.
        within: how long the link in a confirmation works.

    Raises:
        TemplateError: a template is broken, or has no link that it needs.
        SettingsError: the colour of the desk cannot be used.
    """
    return {
        tag: _spoken(kind, replace(desk, language=tag), templates, within)
        for tag in templates.catalogues.values()
    }


def language_of(desk: Desk, templates: Templates) -> str:
    """The tag of the one that goes to readers whose language is not known."""
    return lookup(desk.language, templates.catalogues) or "en"


def _spoken(kind: str, desk: Desk, templates: Templates, within: timedelta) -> EmailRendition:
    language = templates.language(None, desk)
    recipient = Recipient(Slots.of([], desk), language)
    values = email.frame(desk, templates, language, desk.index_url, recipient)
    subject = _subject(kind, desk, language)
    values |= {
        "subject": subject,
        "valid": _length(within, language),
        "own_feeds": desk.access != "public",
        "rights": desk.rights_in(None),
    }

    def printed(name: str, **more: object) -> str:
        return templates.render(f"mail/{kind}.{name}", None, desk, **values, **more)

    html = inline_css(printable(printed("html")))
    text = clean_text(
        printed(
            "txt",
            wrapped=partial(wrap, columns=email_text.COLUMNS),
            underlined=email_text.underlined,
        )
    )
    slots.check_html(html, recipient.placed, f"mail/{kind}.html", _WANTED[kind])
    slots.check_text(text, recipient.placed, f"mail/{kind}.txt", _WANTED[kind])
    return EmailRendition(
        subject, language.tag, html.encode(), text.encode(), b"", (), recipient.placed
    )


def _subject(kind: str, desk: Desk, language: Language) -> str:
    _ = language.gettext
    subjects = {
        "confirm": _("Please confirm your subscription to %(desk)s"),
        "welcome": _("Welcome to %(desk)s"),
        "already": _("You already subscribe to %(desk)s"),
    }
    return one_line(subjects[kind] % {"desk": desk.name})


def _length(time: timedelta, language: Language) -> str:
    """A length of time in words: in days, in hours where it is less than two."""
    hours = max(1, round(time.total_seconds() / 3600))
    if hours < 48:
        return language.ngettext("%(hours)d hour", "%(hours)d hours", hours) % {"hours": hours}
    days = hours // 24
    return language.ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
