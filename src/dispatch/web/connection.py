"""A connection of the server: public files are answered at once, and every client has its limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dispatch.web.public import PublicFiles


@dataclass(slots=True)
class Counts:
    """What happened on the connections of a process, since it began."""

    answered: Counter[int] = field(default_factory=Counter)
    """Answers that were given here, without the application, by status."""
    cut: Counter[str] = field(default_factory=Counter)
    """Connections that were ended before their time, by the reason."""


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, past which no slow or greedy client gets.

    ``uvicorn.Config(app, http=Connection.bound_to(files, counts=counts), ws="none",
    timeout_keep_alive=…)``; a class for each server, as what its connections share belongs to it.
    """

    counts: ClassVar[Counts]

    @classmethod
    def bound_to(
        cls,
        files: PublicFiles,
        *,
        hosts: frozenset[bytes] | None = None,
        counts: Counts | None = None,
        most: int | None = None,
    ) -> type[Connection]:
        """The class of a server's connections.

        Args:
            files: what is answered without the application, once it has been asked for there.
            hosts: the values of Host that are answered here, in lower case; others are for the
                application to refuse. None: all.
            counts: where to count; may be read at any time.
            most: connections at once; None: as many as the process may open files for.
        """
        shared = {"counts": counts if counts is not None else Counts()}
        return type("Connection", (cls,), shared)
