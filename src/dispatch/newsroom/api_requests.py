"""Mailings that a program ordered with a key of its own: asking again makes none twice.

A program that gets no answer does not know whether its order arrived. With an
Idempotency-Key it may simply ask again: the mailing and the key are written
down in one transaction, so that there is the one if and only if there is the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from dispatch.errors import DeliveryError
from dispatch.store import api_tokens as store
from dispatch.store.api_tokens import RequestRow

KEPT = timedelta(days=30)
"""How long a key is remembered, at least."""


class AnotherOrderError(DeliveryError):
    """The key came before, with another order."""


@dataclass(frozen=True, slots=True)
class Request:
    """An order with a key.

    Args:
        token: the key of the token that it came with.
        idempotency_key: the program's own.
        order: what was ordered, byte for byte.
    """

    token: int
    idempotency_key: str
    order: bytes

    def carried_out(self, connection: Connection) -> int | None:
        """The number of the mailing that was made for it; None: there is none yet.

        Raises:
            AnotherOrderError: the key came before, with another order.
        """
        row = store.request(connection, self.token, self.idempotency_key)
        if row is not None and row.digest != self._digest:
            raise AnotherOrderError(
                f"This Idempotency-Key came with another order before, which made mailing "
                f"{row.edition}: use a new key for a new order."
            )
        return row.edition if row is not None else None

    def write_down(self, connection: Connection, mailing: int, now: datetime) -> None:
        """Write down that ``mailing`` was made for it.

        Raises:
            DeliveryError: another process did so in the meantime.
        """
        if self.carried_out(connection) is not None:
            raise DeliveryError("This order is being carried out by another process.")
        store.forget_requests(connection, now - KEPT)
        row = RequestRow(self._digest, mailing)
        store.add_request(connection, self.token, self.idempotency_key, row, now)

    @property
    def _digest(self) -> str:
        return sha256(self.order).hexdigest()
