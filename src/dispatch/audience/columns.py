"""What the columns of a list of subscribers mean, by their names.

Names are compared without regard to case, spaces and punctuation, and every
sender has names of its own. Where several columns mean the same, the first
name of :data:`_NAMES` that says something wins, row by row. What is not known
is kept as a custom field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from dispatch.audience import values
from dispatch.errors import AudienceError

Kind = Literal[
    "email", "name", "first", "last", "language", "timezone", "tags", "status", "maybe_status",
    "subscribed", "disabled", "unsubscribed_at", "bounced_at", "complained_at", "joined",
    "consent_source", "consent_at", "consent_ip", "consent_text", "frequency", "paused_until",
    "attributes", "left_out",
]  # fmt: skip

_NAMES: dict[Kind, tuple[str, ...]] = {
    "email": (
        "email", "emailaddress", "mail", "mailaddress", "subscriberemail", "useremail",
        "emailadresse", "mailadresse", "adresseemail", "adressemail", "courriel",
        "correoelectrónico", "correo",
    ),
    "name": ("name", "fullname", "displayname", "subscribername", "username"),
    "first": ("firstname", "givenname", "fname", "forename", "vorname", "prénom", "nombre"),
    "last": (
        "lastname", "familyname", "surname", "lname", "nachname", "nom", "apellido", "apellidos",
    ),
    "language": ("language", "locale", "lang", "preferredlanguage", "sprache", "langue", "idioma"),
    "timezone": ("timezone", "tz", "zeitzone"),
    "tags": ("tags", "tag", "segments", "segment", "labels", "label"),
    "status": (
        "status", "subscriberstatus", "subscriptionstatus", "memberstatus", "emailstatus",
        "subscribertype", "confirmstatus",
    ),
    "maybe_status": ("type",),  # Buttondown's; anybody's for anything else
    "subscribed": (
        "subscribedtoemails", "subscribed", "issubscribed", "optedin", "optin", "isactive",
    ),
    "disabled": ("emaildisabled", "unsubscribed", "optedout", "optout"),
    "unsubscribed_at": (
        "unsubtime", "unsubscribedat", "unsubscriptiondate", "unsubscribedate", "deletedat",
    ),
    "bounced_at": ("cleantime", "bouncedat", "undeliverabilitydate"),
    "complained_at": ("complainedat", "complaintdate", "spammedat"),
    "joined": (
        "joined", "createdat", "creationdate", "created", "dateadded", "subscribedat",
        "subscriptiondate", "signupdate", "signuptime", "joinedat", "startdate",
    ),
    "consent_source": ("consentsource", "optinsource", "signupsource", "source", "consent"),
    "consent_at": (
        "consenttime", "consentat", "consentdate", "confirmtime", "confirmedat", "optintime",
        "optindate", "optinat",
    ),
    "consent_ip": (
        "consentip", "consentipaddress", "confirmip", "optinip", "ip", "ipaddress", "signupip",
    ),
    "consent_text": ("consenttext",),
    "frequency": ("frequency",),
    "paused_until": ("pauseduntil",),
    "attributes": ("attributes", "attribs", "metadata"),
    "left_out": ("refusedbecause",),  # of a list of our own refused rows, mended
}  # fmt: skip
_KINDS: dict[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names}
_RANKS = {name: rank for names in _NAMES.values() for rank, name in enumerate(names)}

RESERVED = frozenset({
    "email", "name", "domain", "language", "timezone", "tag", "joined", "and", "or", "not",
})  # fmt: skip
"""What a segment calls the facts that every subscriber has."""

REFUSED_BECAUSE = "refused_because"
"""The column that a list of refused rows has more than the list that they come from."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one list.

    Args:
        names: as they stand in it.
        places: for each kind the columns that are of it, the one that wins first.
        fields: the columns that are custom fields, each with the field's name.
        left_out: names of columns that are not kept.
    """

    names: tuple[str, ...]
    places: dict[Kind, tuple[int, ...]]
    fields: tuple[tuple[int, str], ...]
    left_out: tuple[str, ...]


def understood(names: Sequence[str], where: str) -> Columns:
    """What the columns ``names`` mean.

    Args:
        where: the file, for errors.

    Raises:
        AudienceError: no column holds email addresses; the message lists what there is.
    """
    found: dict[Kind, list[int]] = {}
    fields: dict[str, int] = {}
    left_out = []
    for place, name in enumerate(names):
        kind = kind_of(name)
        if kind is not None:
            found.setdefault(kind, []).append(place)
        if kind is None or kind == "maybe_status":
            field = custom_name(name)
            if not field or field in fields or len(fields) >= values.MOST_FIELDS:
                left_out.append(name)
            else:
                fields[field] = place
    if "email" not in found:
        raise AudienceError(_no_email(names, where))
    places = {
        kind: tuple(sorted(places, key=lambda place: _RANKS[_plain(names[place])]))
        for kind, places in found.items()
    }
    ordered = tuple((place, field) for field, place in fields.items())
    return Columns(tuple(names), places, ordered, tuple(filter(str.strip, left_out)))


def kind_of(name: str) -> Kind | None:
    """What a column of that name holds; None: something of the desk's own."""
    return _KINDS.get(_plain(name))


def custom_name(name: str) -> str:
    """The custom field that a column of that name becomes: never one that has a meaning."""
    field = values.field_name(name)
    taken = field in RESERVED or kind_of(field) not in (None, "maybe_status")
    return f"field_{field}" if field and taken else field


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _no_email(names: Sequence[str], where: str) -> str:
    shown = [values.line(name, 40) or "(no name)" for name in names[:20]]
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    if any("@" in name for name in names):
        return (
            f"{where} has no line of column names: it begins with {', '.join(shown)}{more}. "
            "Put a line such as email,name above."
        )
    near = [name for name in shown if "mail" in name.casefold()] or get_close_matches(
        "email", shown, 1
    )
    hint = f" Did you mean {near[0]}?" if near else ""
    if len(names) == 1 and re.search(r"\W", shown[0]):
        hint = " If these are several, part them with a comma, a semicolon, a tab or a bar."
    return (
        f"{where} has no column of email addresses. Its columns are {', '.join(shown)}{more}; "
        f"call that column email.{hint}"
    )
