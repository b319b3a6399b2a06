"""Whether a link can lead a reader anywhere, judged by its address alone."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from dispatch.markup import is_web_url

Judgement = tuple[Literal["error", "warning"], str]

_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")


def judge(url: str) -> Judgement | None:
    """What is wrong with the address, as a level and a sentence; None: nothing that shows."""
    if re.match("(?:mailto|tel):", url, re.IGNORECASE):
        return None
    if not is_web_url(url) or re.search(r"\s|[<>\"{}|\\^`]", url):
        return "error", f"{url} is not a web address (http or https)."
    if found := _host(url, urlsplit(url).hostname or ""):
        return found
    if url.lower().startswith("http:"):
        return "warning", f"{url} is not encrypted: is there an https address?"
    return None


def _host(url: str, host: str) -> Judgement | None:
    try:
        address = ip_address(host)
    except ValueError:
        return _name(url, host.removesuffix("."))
    if address.is_global:
        return "warning", f"{url} names a machine by its number: give the name of the site."
    return "error", f"{url} leads to a machine that no reader can reach."


def _name(url: str, host: str) -> Judgement | None:
    labels = host.split(".")
    if not all(map(_LABEL.fullmatch, labels)) or len(host) > 253 or labels[-1].isdigit():
        return "error", f"{url} cannot lead anywhere: {host} is not the name of a host."
    if len(labels) == 1 or labels[-1] in {"internal", "local", "localhost", "lan"}:
        return "error", f"{url} leads to {host}, which no reader can reach."
    return None
