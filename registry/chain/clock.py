"""The time of a network's chain: an estimate of the next block's timestamp, for deadlines and terms."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from registry.base.errors import RegistryError
from registry.chain.client import Chain, RpcError

POLL_SECONDS: Final = 2.0
"""How long one reading of the chain is used; until then the time advances by the steady clock."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of the chain.

    Args:
        time: The chain's time, Unix seconds.
        newest: The newest block's timestamp, Unix seconds.
        at: The time of the reading by the steady clock, seconds.
    """

    time: float
    newest: int
    at: float


class ChainClock:
    """The time of a network's chain. Any thread may ask; one thread at a time reads the chain, the others use the last
    reading.

    A node that returns its pending block states the time. Otherwise it is the newest block's timestamp plus the seconds
    since that block was first seen. Until a second block has been seen, the age of the newest one is unknown; then this
    machine's time is used if it is later.

    Args:
        chain: The chain.
        clock: Returns this machine's Unix time in seconds.
        steady: Returns monotonic seconds.
    """

    def __init__(
        self, chain: Chain, clock: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._chain = chain
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._first: int | None = None
        self._seen: _Reading | None = None
        self._looked_at: float | None = None

    def now(self) -> int | None:
        """Return the chain's time, Unix seconds; None until the chain has been read."""
        if self._is_due() and self._lock.acquire(blocking=False):
            try:
                self._looked_at = self._steady()
                self._look()
            finally:
                self._lock.release()
        seen = self._seen
        return None if seen is None else int(seen.time + self._steady() - seen.at)

    def _is_due(self) -> bool:
        return self._looked_at is None or self._steady() - self._looked_at > POLL_SECONDS

    def _look(self) -> None:
        try:
            latest, pending = self._chain.batch(
                [("eth_getBlockByNumber", ["latest", False]), ("eth_getBlockByNumber", ["pending", False])]
            )
        except RegistryError:
            return  # The last reading stays in use.
        newest, told = _timestamp(latest), _timestamp(pending)
        if newest is None:
            return
        if self._first is None:
            self._first = newest
        seen, at = self._seen, self._steady()
        if told is not None and told > newest:
            self._seen = _Reading(told, newest, at)
        elif newest == self._first:
            self._seen = _Reading(max(newest, self._clock()), newest, at)
        elif seen is None or seen.newest != newest:
            self._seen = _Reading(newest, newest, at)


def _timestamp(block: Any) -> int | None:
    if isinstance(block, RpcError) or block is None:
        return None
    try:
        return int(block["timestamp"], 16)
    except (TypeError, KeyError, ValueError):
        return None
