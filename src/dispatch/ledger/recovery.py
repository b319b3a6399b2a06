"""Taking over leases whose owners died or were not heard of for too long.

For each recipient in such a lease, the journal of its owner tells:

    an answer                that is what became of it
    it left, no answer       in doubt
    nothing                  it did not leave: queued again

Nothing can be concluded from a journal that is missing or damaged, or that may have
lost its end because the machine went down: then whoever has no answer is in doubt.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection

from dispatch.errors import StoreError
from dispatch.ledger import journal
from dispatch.ledger.facts import Outcome, Recovered
from dispatch.store import counts, leases
from dispatch.store.leases import LeaseRow

_DIED = "The copy left, and the program ended before the relay had answered."
_WENT_DOWN = "The machine went down while the copy may have been leaving."
_MISSING = "The ledger's journal of this copy is missing."
_DAMAGED = "The ledger's journal of this copy is damaged."


class Recovery:
    """One round of it, in one transaction; :meth:`sweep` belongs behind its commit.

    Args:
        folder: of the journals.
        boot: which start of the machine this is.
        own: leases of the process itself, which it knows more of than their journals.
    """

    def __init__(
        self, folder: Path, boot: str, clock: Callable[[], float], own: Collection[int]
    ) -> None:
        self._folder = folder
        self._boot = boot
        self._clock = clock
        self._own = own
        self._done: list[Path] = []
        self.outcomes: list[Outcome] = []
        """Those that were recorded."""

    def settle(self, connection: Connection, now: int) -> Recovered:
        """Record what is known of every lease that can be taken over, and close it.

        Raises:
            StoreError: a journal cannot be read.
        """
        found: dict[str, Counter[int]] = {}
        rows = [row for row in leases.open_leases(connection) if row.key not in self._own]
        with ExitStack() as held:
            for row in rows:
                if not self._can_be_taken(row, held):
                    continue
                outcomes = self._outcomes(connection, row)
                tuples = [(o.key, o.state, o.reply, o.due) for o in outcomes]
                leases.record(connection, row.key, row.edition, tuples, now)
                leases.close(connection, [row.key])
                self.outcomes += outcomes
                for outcome in outcomes:
                    found.setdefault(outcome.state, Counter())[row.edition] += 1
                self._done.append(path_of(self._folder, row.key))
            for edition in {row.edition for row in rows}:
                counts.settle(connection, edition, now)
        self._find_orphans({row.key for row in rows})
        return Recovered(**found)

    def sweep(self) -> None:
        """Remove the journals that nobody needs any more."""
        for path in self._done:
            path.unlink(missing_ok=True)

    def _can_be_taken(self, row: LeaseRow, held: ExitStack) -> bool:
        """Whether its owner is dead, or alive and late. The lock of the dead one is held."""
        if row.boot == self._boot and self._clock() * 1000 >= row.expires:
            return True
        try:
            file = os.open(path_of(self._folder, row.key), os.O_RDONLY)
        except FileNotFoundError:
            return True
        except OSError as error:
            raise _unreadable(path_of(self._folder, row.key), error) from error
        held.callback(os.close, file)
        return journal.is_free(file)

    def _outcomes(self, connection: Connection, row: LeaseRow) -> list[Outcome]:
        path = path_of(self._folder, row.key)
        try:
            told = journal.read(path, row.key, row.owner)
        except OSError as error:
            raise _unreadable(path, error) from error
        if told is None:
            told, why = journal.Contents(whole=False), _MISSING
        elif row.boot != self._boot:
            told, why = journal.Contents(told.left, told.replies, whole=False), _WENT_DOWN
        else:
            why = _DIED if told.whole else _DAMAGED
        return [_outcome(key, told, why) for key in leases.leased(connection, row.key, row.edition)]

    def _find_orphans(self, known: set[int]) -> None:
        """Journals of leases that are closed or were never given; whoever made them has died.

        A claim makes its journal inside a write transaction, as this is one: so
        none of these is about to be used.
        """
        kept = {path_of(self._folder, key) for key in known | set(self._own)}
        self._done += [path for path in self._folder.glob("*.journal") if path not in kept]


def path_of(folder: Path, lease: int) -> Path:
    """Where the journal of a lease is."""
    return folder / f"{lease}.journal"


def _outcome(key: int, told: journal.Contents, why: str) -> Outcome:
    if key in told.replies:
        return told.replies[key]
    if key in told.left or not told.whole:
        return Outcome(key, "in_doubt", why)
    return Outcome(key, "queued", "")


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The ledger's journal {path} cannot be read ({error.strerror or error}). It says what "
        "left before a crash: nothing is sent until it can be. Check its permissions and the disk."
    )
