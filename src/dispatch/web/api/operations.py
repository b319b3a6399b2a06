"""What an operation of the API is: the request it takes, the answers it gives, and what it does.

Operations are written down once, as values. Requests are checked by them
(:mod:`dispatch.web.api.endpoint`) and the OpenAPI document is made from them
(:mod:`dispatch.web.api.openapi`), so that the one cannot differ from the other.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from msgspec import Struct

from dispatch.errors import DispatchError
from dispatch.newsroom.api_tokens import Token
from dispatch.settings import Settings
from dispatch.web.api import lanes, problems
from dispatch.web.api.lanes import Args, Lane, Result
from dispatch.web.site import Site

Parameters = TypeVar("Parameters")
Body = TypeVar("Body")

JSON = "application/json"
_MOST = 65_536


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Text:
    """An answer that is text of some media type."""

    media_type: str
    about: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A body as it came: its media type, and its bytes or, of JSON, what they mean."""

    media_type: str
    content: Any


@dataclass(frozen=True, slots=True)
class Call(Generic[Parameters, Body]):
    """A request that may be carried out.

    Args:
        parameters: those of the path, the query and the headers.
        raw: the body as it came.
    """

    site: Site
    token: Token
    now: datetime
    parameters: Parameters
    body: Body
    raw: bytes = b""

    @property
    def out(self) -> Path:
        return self.site.out

    @property
    def settings(self) -> Settings:
        return self.site.settings

    async def run(
        self, work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """Have a function of the newsroom work in a thread, in moments.

        Raises:
            RefusalError: it cannot be done; and what concerns the newsroom alone.
        """
        return await self.run_in(lanes.questions, work, *args, **kwargs)

    async def run_in(
        self, lane: Lane, work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """The same for what takes longer, in a lane of its own."""
        try:
            return await lane.run(work, *args, **kwargs)
        except DispatchError as error:
            refusal = problems.of(error, self.settings)
            if refusal is None:
                raise
            raise refusal from error


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a Struct as JSON, or a stream of text."""

    content: Struct | AsyncIterator[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call[Any, Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    Args:
        path: behind ``/api/v1``, with the names of its parameters in braces.
        handler: does it; its name is the operation's id, its docstring what is said of it.
        scopes: what a token must be good for.
        answers: by their status, what is answered when all is well.
        parameters: a Struct of those of the path, the query and the headers.
        headers: which of these are headers, by the field's name.
        tells: the headers of its answers, and what each says.
        bodies: the type of the body for each media type it may have; ``bytes`` for one as it is.
        refusals: besides those that all have, the statuses with which it is refused.
        most: bytes of a body.
    """

    method: str
    path: str
    handler: Handler
    scopes: tuple[str, ...]
    answers: Mapping[int, type[Struct] | Text]
    parameters: type[Struct] = Nothing
    headers: Mapping[str, str] = field(default_factory=dict)
    tells: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, Any] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()
    most: int = _MOST

    @property
    def name(self) -> str:
        """The operation's id: that of its handler."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        return self._told[0]

    @property
    def about(self) -> str:
        return "\n".join(self._told[2:])

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def _told(self) -> list[str]:
        return (inspect.getdoc(self.handler) or self.name).splitlines()
