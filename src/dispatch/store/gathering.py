"""Group commits for many small writers: what is asked for during a commit goes into the next one.

A commit waits for the disk, whatever it holds. A hundred requests a moment, each
with a commit of its own, would wait for one another; together they wait once.
Each still gets its own answer, and only once it is durable.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from dispatch.store.connection import Store
from dispatch.store.standing import Standing

_MOST = 256
"""Pieces of work of one commit: more would let the first of them wait."""
_CROWD = 8
"""So many pieces in one commit: many are asking at the same time."""
_BREATH = 0.004
"""Seconds that a crowd is given to come back: fewer and larger commits serve it sooner. Whoever
asks alone never waits for it."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Piece(Generic[Item, Result]):
    """A piece of work, and who waits for it: a thread, or a coroutine of ``loop``."""

    together: Callable[[Connection, Sequence[Item]], Sequence[Result]]
    item: Item
    answer: Future[Result] | asyncio.Future[Result]
    loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> bool:
        """Whether anybody still waits for it."""
        if isinstance(self.answer, Future):  # nobody can call it off any more
            return self.answer.set_running_or_notify_cancel()
        return not self.answer.cancelled()


@dataclass(frozen=True, slots=True)
class _Outcome:
    piece: _Piece[Any, Any]
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        answer = self.piece.answer
        if answer.done():  # called off meanwhile
            return
        if self.error is None:
            answer.set_result(self.result)
        else:
            answer.set_exception(self.error)


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
        answer = Future[Result]()
        self._waiting.put(_Piece(together, item, answer))
        return answer

    async def together(
        self, together: Callable[[Connection, Sequence[Item]], Sequence[Result]], item: Item
    ) -> Result:
        """The same for a coroutine, which is told along with all others of its event loop.

        A loop that is woken for each of a hundred answers is woken a hundred times.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._waiting.put(_Piece(together, item, answer, loop))
        return await answer

    def close(self) -> None:
        """Finish what was asked for, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _go(self) -> None:
        open_ = True
        while open_:
            pieces, open_ = self._next()
            pieces = [piece for piece in pieces if piece.begin()]
            if pieces:
                self._commit(pieces)
            if len(pieces) >= _CROWD and open_:
                time.sleep(_BREATH)
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
        outcomes: list[_Outcome] = []
        try:
            with self._standing.transaction() as connection:
                for together, kind in _by_kind(pieces).items():
                    outcomes += _done(connection, together, kind)
        except BaseException as error:
            outcomes = [_Outcome(piece, error=error) for piece in pieces]
        else:
            self.watch(len(pieces))
        _tell(outcomes)


_Together = Callable[[Connection, Sequence[Any]], Sequence[Any]]


def _by_kind(pieces: Sequence[_Piece[Any, Any]]) -> dict[_Together, list[_Piece[Any, Any]]]:
    kinds: dict[_Together, list[_Piece[Any, Any]]] = {}
    for piece in pieces:
        kinds.setdefault(piece.together, []).append(piece)
    return kinds


def _done(
    connection: Connection, together: _Together, pieces: Sequence[_Piece[Any, Any]]
) -> list[_Outcome]:
    """Do the work of one kind; returns what everybody is told after the commit."""
    try:
        with connection.begin_nested():
            results = together(connection, [piece.item for piece in pieces])
    except Exception as error:
        if len(pieces) == 1:
            return [_Outcome(pieces[0], error=error)]
        # One of them is to blame: each by itself.
        return [told for piece in pieces for told in _done(connection, together, [piece])]
    return [_Outcome(*both) for both in zip(pieces, results, strict=True)]


def _tell(outcomes: Sequence[_Outcome]) -> None:
    """Give everybody their answer, and wake each event loop once."""
    loops: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        if outcome.piece.loop is None:
            outcome.tell()
        else:
            loops.setdefault(outcome.piece.loop, []).append(outcome)
    for loop, theirs in loops.items():
        with suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell_all, theirs)


def _tell_all(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        outcome.tell()
