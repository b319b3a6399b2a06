"""Group commits for many small writers: what is asked for during a commit goes into the next one.

A commit waits for the disk, whatever it holds. A hundred requests a moment, each
with a commit of its own, would wait for one another; together they wait once.
Each still gets its own answer, and only once it is durable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from dispatch.store.connection import Store
from dispatch.store.standing import Standing

_MOST = 256
"""Pieces of work of one commit: more would let the first of them wait."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Piece(Generic[Item, Result]):
    together: Callable[[Connection, Sequence[Item]], Sequence[Result]]
    item: Item
    answer: Future[Result] = field(default_factory=Future)


class Gathering:
    """One thread that writes to the database of ``store`` for all who ask.

    Work that fails is undone and fails alone; where the commit fails, all of it does.
    """

    def __init__(self, store: Store) -> None:
        self.watch: Callable[[int], object] = lambda _pieces: None
        """Called with the number of pieces of each commit, once it is durable."""
        self._standing = Standing(store)
        self._waiting: SimpleQueue[_Piece[Any, Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._go, name="gathering", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[Connection], Result]) -> Future[Result]:
        """Have ``work`` done; its answer comes once it is durable."""
        return self.write_together(lambda connection, _items: [work(connection)], None)

    def write_together(
        self, together: Callable[[Connection, Sequence[Item]], Sequence[Result]], item: Item
    ) -> Future[Result]:
        """The same for work that is done for many at once.

        Args:
            together: called with the items of all who asked for the same function (the object
                itself) in this commit, in the order they came; gives a result for each.
        """
        piece = _Piece(together, item)
        self._waiting.put(piece)
        return piece.answer

    def close(self) -> None:
        """Finish what was asked for, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _go(self) -> None:
        open_ = True
        while open_:
            pieces, open_ = self._next()
            # Whoever does not wait any more has it not done; from here on nobody can call it off.
            pieces = [p for p in pieces if p.answer.set_running_or_notify_cancel()]
            if pieces:
                self._commit(pieces)
        self._standing.close()

    def _next(self) -> tuple[list[_Piece[Any, Any]], bool]:
        """What waits, at least one piece; and whether there will be more."""
        pieces: list[_Piece[Any, Any]] = []
        piece = self._waiting.get()
        while piece is not None:
            pieces.append(piece)
            if self._waiting.empty() or len(pieces) == _MOST:
                return pieces, True
            piece = self._waiting.get()
        return pieces, False

    def _commit(self, pieces: Sequence[_Piece[Any, Any]]) -> None:
        answers: list[Callable[[], None]] = []
        try:
            with self._standing.transaction() as connection:
                for together, kind in _by_kind(pieces).items():
                    answers += _done(connection, together, kind)
        except BaseException as error:
            for piece in pieces:
                piece.answer.set_exception(error)
        else:
            self.watch(len(pieces))
            for answer in answers:
                answer()


_Together = Callable[[Connection, Sequence[Any]], Sequence[Any]]


def _by_kind(pieces: Sequence[_Piece[Any, Any]]) -> dict[_Together, list[_Piece[Any, Any]]]:
    kinds: dict[_Together, list[_Piece[Any, Any]]] = {}
    for piece in pieces:
        kinds.setdefault(piece.together, []).append(piece)
    return kinds


def _done(
    connection: Connection, together: _Together, pieces: Sequence[_Piece[Any, Any]]
) -> list[Callable[[], None]]:
    """Do the work of one kind; returns what gives everybody their answer after the commit."""
    try:
        with connection.begin_nested():
            results = together(connection, [piece.item for piece in pieces])
    except Exception as error:
        if len(pieces) == 1:
            failed, sole = error, pieces[0]
            return [lambda: sole.answer.set_exception(failed)]
        # One of them is to blame: each by itself.
        return [a for piece in pieces for a in _done(connection, together, [piece])]
    return [
        lambda piece=piece, result=result: piece.answer.set_result(result)  # type: ignore[misc]
        for piece, result in zip(pieces, results, strict=True)
    ]
