"""The connections that a sender keeps open, and to which relays.

There are as many as there is work for, up to a bound. A connection that has
nothing to do is *idle* and is poked when there may be something again: where the
pace of its relay alone holds it back, that says nothing about the others.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from dispatch.mailing.health import Relays
from dispatch.mailing.means import Means
from dispatch.mailing.pacing import Domains
from dispatch.mailing.relays import Relay
from dispatch.mailing.transport import Connection, End, Result, Work

_LOOK = 0.05
"""Seconds between two looks at whether another connection is wanted; with a rate that is held, so
many between two that are opened."""


@dataclass(slots=True)
class Line:
    """An open connection. ``idle``: "" or what it waits for: "work", or the "pace" of its relay."""

    relay: Relay
    name: str
    connection: Connection
    opened: float
    idle: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Lines:
    """The open connections.

    Args:
        most: connections at once.
        slowly: open one after the other, and no more of them than are needed.
        demand: how many copies are waiting or in flight.
        said: is told why connections broke off.
        none: called where no relay can be tried at present, and no connection is open.
        failed: called with what went wrong where nothing should.
    """

    def __init__(
        self,
        means: Means,
        work: Work,
        most: int,
        *,
        slowly: bool,
        demand: Callable[[], int],
        said: Callable[[str], None],
        none: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._relays: Relays[Relay] = means.relays
        self._connect = means.connect
        self._warming = means.warming
        self._now = means.now
        self._work = work
        self._most = most
        self._slowly = slowly
        self._demand = demand
        self._said, self._none, self._failed = said, none, failed
        self._paces = Domains(frozenset({"relay", "sender"}))
        self._lines: dict[int, Line] = {}
        self._last_said = ""
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self.changed = asyncio.Event()
        """Set where another connection may be wanted at once."""

    def of(self, connection: Connection) -> Line:
        return self._lines[id(connection)]

    # Pace --------------------------------------------------------------------------------------

    def may_take(self, line: Line, now: float) -> bool:
        """Whether its relay may be given a copy now, which is counted. Else it is poked later."""
        name = line.name
        if not self._warming.may_take(name):
            line.idle = "pace"
            if not self._warming.left(name):
                self._rest(line.relay, now)
            return False
        wait = self._paces.may_send(name, now)
        if wait:
            line.idle = "pace"
            self.wake_at(now + wait)
            return False
        self._warming.given(name)
        return True

    def unused(self, line: Line, now: float) -> None:
        """There was no copy for it, after all."""
        self._warming.not_given(line.name)
        self._paces.unused(line.name, now)

    def answered(self, line: Line, result: Result, now: float) -> None:
        """What became of a copy that it was given."""
        name = line.name
        if self._warming.answered(name, accepted=result.kind == "accepted"):
            self.wake()
        if result.blame != "relay":
            self._relays.answered(line.relay, now)
        if result.code != 421:  # that ends the connection, and is dealt with then
            self._paces.told(name, result, now)

    def _rest(self, relay: Relay, now: float) -> None:
        """It has had what it may take today."""
        sentence = (
            f"The relay {relay.name} is being warmed up and has taken what it may take today; "
            "it goes on tomorrow (UTC)."
        )
        self._relays.rest(relay, sentence, now + self._warming.until_tomorrow(self._now()))
        self._said(sentence)
        for line in self._lines.values():
            if line.relay is relay:
                line.connection.finish()

    # Opening -----------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Open connections where there is work and nobody idle to do it, until told to finish."""
        try:
            while not self._closing:
                if self._open_one() and not self._slowly:
                    continue
                self.changed.clear()
                # Not wait_for, which loses a cancellation that comes with what it waits for.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK if self._demand() else None):
                        await self.changed.wait()
        except Exception as error:
            self._failed(error)

    def _open_one(self) -> bool:
        now = self._loop.time()
        if len(self._lines) >= self._most:
            self._make_room_for_a_trial(now)
            return False
        if len(self._lines) >= self._demand() or any(
            line.idle == "work" for line in self._lines.values()
        ):
            return False
        open_now = Counter(line.name for line in self._lines.values())
        relay = self._relays.choose(open_now, now)
        if relay is None:
            if not self._lines:
                self._none()
            return False
        line = Line(relay, relay.name, self._connect(relay, self._work), now)
        self._lines[id(line.connection)] = line
        line.task = self._loop.create_task(self._converse(line))
        return True

    def _make_room_for_a_trial(self, now: float) -> None:
        """Let one connection go where a relay that was down is to be tried again."""
        if self._relays.wants_trial(now):
            next(iter(self._lines.values())).connection.finish()

    async def _converse(self, line: Line) -> None:
        try:
            end = await line.connection.run()
        except Exception as error:
            self._failed(error)
            return
        finally:
            del self._lines[id(line.connection)]
            self.changed.set()
        self._relays.ended(line.relay, end, self._loop.time(), opened=line.opened)
        self._tell(end)

    def _tell(self, end: End) -> None:
        """Say why it broke off: once, where many do at the same time."""
        if end.kind != "finished" and not self._closing and end.sentence != self._last_said:
            self._last_said = end.sentence
            self._said(end.sentence)

    # Work for those that are idle --------------------------------------------------------------

    def wake_at(self, time: float) -> None:
        """Poke idle connections then, or earlier."""
        if self._timer is None or time < self._timer.when():
            if self._timer:
                self._timer.cancel()
            self._timer = self._loop.call_at(time, self._woken)

    def wake(self) -> None:
        """Poke idle connections in the next round of the loop."""
        self.wake_at(self._loop.time())

    def _woken(self) -> None:
        self._timer = None
        self.poke()

    def poke(self) -> None:
        """Give idle connections work for as long as there is any."""
        for line in list(self._lines.values()):
            if line.idle and not self._closing:
                line.idle = ""
                line.connection.poke()
                if line.idle == "work":
                    return

    # The end -----------------------------------------------------------------------------------

    def finish(self) -> None:
        """Take nothing more; end when what is in flight is answered."""
        self._closing = True
        self.changed.set()
        for line in list(self._lines.values()):
            line.connection.finish()

    async def close(self, seconds: float) -> None:
        """Wait for what is in flight so long; what has no answer then is in doubt."""
        self.finish()
        if self._timer:
            self._timer.cancel()
        tasks = [line.task for line in self._lines.values() if line.task]
        if tasks and seconds:
            await asyncio.wait(tasks, timeout=seconds)
        for line in list(self._lines.values()):
            line.connection.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=1)
