"""An edition in a browser: the HTML of the mail as it went out, as a page that is safe to serve.

A mail carries its look in ``style`` attributes, because mail programs drop style
sheets. A page of ours has a Content-Security-Policy that allows one style sheet,
by its hash, and no attribute. So the attributes are moved into that sheet, one
rule for each that differs: as strong as an attribute (by an id in the selector,
which no class of the mail's own sheets outdoes) and as weak as one against
``!important``, which those sheets use for small screens and the dark scheme.

Links with a personal token are taken out. Nothing of a mail runs in a browser:
scripts, frames and forms stay behind, and the policy forbids them besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Any

from markupsafe import Markup

from dispatch.desk import Desk
from dispatch.markup import one_line
from dispatch.renditions.templates import Templates
from dispatch.renditions.web import FormPage, styled

_LEFT_BEHIND = (
    "script", "noscript", "template", "iframe", "frame", "frameset", "object", "embed", "applet",
    "base", "link", "meta", "style", "title", "form", "input", "button", "select", "textarea",
)  # fmt: skip
_LETTER = re.compile(r"\w")
# What could end a rule, begin another or hide its end. Nothing that a mail looks like needs it.
_UNSAFE = re.compile(r"[{}<>\\@]|/\*|\*/|!--")
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_CLASS = "dispatch-"


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail's HTML as a template prints it."""

    title: str
    attributes: Markup
    """Of its body, each with a space before it."""
    body: Markup
    style: str


def render_edition(
    html: str,
    mark: str,
    desk: Desk,
    templates: Templates,
    *,
    sent: datetime,
    address: str | None = None,
    canonical: str | None = None,
) -> FormPage:
    """The page of an edition, from ``web/edition.html``, and the policy that goes with it.

    Args:
        html: the mail's, as nobody's: no name, no address.
        mark: what stands in it where a token belongs; in no other place.
        desk: its language is what the line above the mail speaks.
        sent: when it was sent; aware.
        address: of the page in the archive; None: it is shown to one reader.
        canonical: the address that search engines are to show for it; None: they are to show none.

    Raises:
        TemplateError, SettingsError: as :func:`dispatch.renditions.web.render`.
    """
    mail, language = _taken_apart(html, mark)
    return styled(
        "web/edition.html",
        replace(desk, language=language or desk.language),
        templates,
        ("web/edition.css",),
        before=mail.style,
        mail=mail,
        sent=sent,
        address=address,
        canonical=canonical,
    )


def _taken_apart(html: str, mark: str) -> tuple[_Mail, str | None]:
    """The mail without what is personal, and the language it says it is in."""
    from lxml import etree

    root: Any = etree.fromstring(html, etree.HTMLParser(huge_tree=True))
    sheets = [_sheet(element) for element in root.iter("style")]
    title = "".join(root.xpath("//title//text()")[:1])
    _drop_personal(root, mark)
    for element in list(root.iter(etree.Comment, etree.ProcessingInstruction, *_LEFT_BEHIND)):
        _drop(element)
    rules = list(_moved(root))
    body = next(root.iter("body"), root)
    inner = escape(body.text or "", quote=False) + "".join(
        etree.tostring(child, method="html", encoding="unicode") for child in body
    )
    attributes = "".join(
        f' {name}="{escape(body.get(name))}"' for name in ("class", "bgcolor") if body.get(name)
    )
    style = "\n".join([*filter(None, sheets), *rules])
    mail = _Mail(
        one_line(title),
        Markup(attributes),  # noqa: S704 - escaped above
        Markup(inner.replace(mark, "")),  # noqa: S704 - written anew from a parsed tree
        style.replace(mark, ""),
    )
    return mail, root.get("lang")


def _sheet(element: Any) -> str:
    """A style sheet of the mail's, to be one with others."""
    text = (element.text or "").strip()
    media = element.get("media")
    return f"@media {media} {{\n{text}\n}}" if media and not _UNSAFE.search(media) else text


def _drop_personal(root: Any, mark: str) -> None:
    """Take out the links with ``mark``: with all around them where that says nothing else."""
    links = [link for link in root.iter("a", "area") if mark in (link.get("href") or "")]
    for parent in dict.fromkeys(link.getparent() for link in links):
        own = [link for link in parent if link in links]
        rest = f"{parent.text or ''}{''.join(_words(child, own) for child in parent)}"
        if _LETTER.search(rest):
            for link in own:  # in a sentence: the words stay
                link.tag = "span"
                _clear(link, "href", "target", "rel", "shape", "coords")
        elif parent.tag in ("p", "div", "li", "span"):
            _drop(parent)
        else:
            for link in own:
                _drop(link)


def _words(child: Any, links: list[Any]) -> str:
    inner = "" if child in links else "".join(child.itertext())
    return f"{inner}{child.tail or ''}"


def _drop(element: Any) -> None:
    """Take an element out, and leave the text behind it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if before is not None:
        before.tail = f"{before.tail or ''}{element.tail or ''}" or None
    else:
        parent.text = f"{parent.text or ''}{element.tail or ''}" or None
    parent.remove(element)


def _clear(element: Any, *names: str) -> None:
    for name in names:
        element.attrib.pop(name, None)


def _moved(root: Any) -> Iterator[str]:
    """Move each ``style`` attribute into a class; gives the rules of those."""
    names: dict[str, str] = {}
    for element in root.iter():
        _clear(element, *(name for name in element.attrib if str(name).lower().startswith("on")))
        declarations = _declarations(element.attrib.pop("style", ""))
        if not declarations:
            continue
        name = names.setdefault(declarations, f"{_CLASS}{len(names) + 1}")
        element.set("class", f"{element.get('class', '')} {name}".strip())
    for declarations, name in names.items():
        yield f":is(.{name}, #{name}) {{{declarations}}}"


def _declarations(style: str) -> str:
    """What a style attribute declares; nothing, where it could be more than that in a sheet."""
    text = " ".join(style.split())
    bare = _QUOTED.sub("", text)
    if _UNSAFE.search(text) or re.search("[\"']", bare) or bare.count("(") != bare.count(")"):
        return ""
    return text
