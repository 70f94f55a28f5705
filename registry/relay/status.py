"""The state of the relay as numbers, for health answers and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from registry.base.primitives import Address
from registry.relay.ledger import oldest_unmined
from registry.relay.model import OPEN
from registry.relay.receipts import Status
from registry.relay.tables import ATTEMPTS, LEASES, NONCES, RECEIPTS
from registry.storage.engine import Storage


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """The state of the relay at one moment.

    Args:
        receipts: The number of receipts in each status.
        oldest_unmined_seconds: For how long the oldest message that is in no block has waited; 0 if all are in blocks.
        in_flight: The number of nonces that are in no block.
        replacements: The number of transactions that replaced others, since the database was made.
        holder: The holder of the key's lease; None if it was never leased.
        is_bound_broken: Whether the oldest has waited longer than the published bound.
    """

    receipts: Mapping[Status, int]
    oldest_unmined_seconds: float
    in_flight: int
    replacements: int
    holder: str | None
    is_bound_broken: bool


def relay_status(storage: Storage, relayer: Address, now: float, bound_seconds: float) -> RelayStatus:
    """Return the state of the relay of a key.

    Args:
        storage: The database.
        relayer: The key's account.
        now: Unix seconds.
        bound_seconds: The published bound from accepted to mined.

    Raises:
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        by_status = {
            str(status): int(count)
            for status, count in connection.execute(select(RECEIPTS.c.status, func.count()).group_by(RECEIPTS.c.status))
        }
        oldest = oldest_unmined(connection)
        in_flight = connection.execute(
            select(func.count()).select_from(NONCES).where(NONCES.c.relayer == relayer, NONCES.c.state == OPEN)
        ).scalar_one()
        replacements = connection.execute(
            select(func.count()).select_from(ATTEMPTS).where(ATTEMPTS.c.relayer == relayer, ATTEMPTS.c.number > 1)
        ).scalar_one()
        holder = connection.execute(select(LEASES.c.holder).where(LEASES.c.relayer == relayer)).scalar_one_or_none()
    age = 0.0 if oldest is None else max(now - oldest, 0.0)
    return RelayStatus(
        receipts={status: by_status.get(status.value, 0) for status in Status},
        oldest_unmined_seconds=age,
        in_flight=in_flight,
        replacements=replacements,
        holder=holder,
        is_bound_broken=age > bound_seconds,
    )
