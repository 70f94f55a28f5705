"""A chain's time: what the timestamp of its next block will be, about. Deadlines and terms are held against it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from registry.base.errors import RegistryError
from registry.chain.client import Chain, RpcError

POLL_SECONDS: Final = 2.0
"""How long one look at the chain serves; meanwhile the time goes on by this machine's count of seconds."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was seen: the chain's time, its newest block's, and when that was by the steady clock."""

    time: float
    newest: int
    at: float


class ChainClock:
    """The time of a network's chain. Any thread may ask; one at a time looks, the others take what was seen before.

    A node that shows its pending block tells the time. Otherwise it is the newest block's, and the seconds since it was
    first seen. Before a second block has been seen it is not known how old the newest is, and it is this machine's time
    if that is later.

    Args:
        chain: The chain.
        clock: Gives this machine's Unix time in seconds.
        steady: Gives seconds that only ever grow.
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
        """Return the chain's time, Unix seconds; None as long as the chain has not been seen."""
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
            return  # It goes on from what was seen before.
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
