"""Values that several operations take or give.

What comes in is checked by these types and what goes out is made of them, and
the OpenAPI document is written from them: it says what is so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct


class Given(Struct, forbid_unknown_fields=True):
    """What a caller says: a field that is not known is refused, not overlooked."""


Desk = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="A desk: its name, or its name in addresses.",
        examples=["world"],
    ),
]
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=320,
        description="An email address.",
        examples=["ida@example.org"],
        extra_json_schema={"format": "email"},
    ),
]
Line = Annotated[str, Meta(max_length=500)]
"""Text on one line."""
Time = Annotated[datetime, Meta(tz=True, examples=["2026-10-09T10:00:00+02:00"])]
Limit = Annotated[int, Meta(ge=1, le=500, description="So many on a page, at most.")]
After = Annotated[
    int,
    Meta(ge=0, le=10**15, description="What the page before calls its next; 0 for the first page."),
]


class Note(Struct, frozen=True):
    """Something the desk should know; a warning is for a person to look at."""

    level: Literal["info", "warning", "error"]
    where: str
    message: str
