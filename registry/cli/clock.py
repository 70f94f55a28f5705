"""The time that deadlines are counted from: the chain's, with this machine's clock held against it.

A clock that is ahead makes signatures good for longer than anybody wants, and one that is behind makes them worthless.
A gateway that lies about the chain's time would do the same: so neither is believed where they differ by much.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from registry.base.errors import Conflict, InvalidInput
from registry.cli.output import print_warning
from registry.cli.times import parse_time, show_time

VARIABLE: Final = "TDR_CLOCK"
CHAIN: Final = "chain"
WARN_SECONDS: Final = 60
REFUSE_SECONDS: Final = 3600


def require_deadline(text: str) -> None:
    """Refuse what is no deadline, or a past one whichever clock is right, before anything is asked of anybody.

    Raises:
        InvalidInput: It is no time, or passed longer ago than clocks may differ.
    """
    now = int(time.time())
    if parse_time(text, now=now) + REFUSE_SECONDS <= now and os.environ.get(VARIABLE) != CHAIN:
        raise InvalidInput(
            f"The deadline {text!r} has passed already: this machine's clock shows {show_time(now)}.",
            hint="Give a later one, or a duration as 1h.",
        )


def running_from(told: int | None, steady: Callable[[], float] = time.monotonic) -> Callable[[], int]:
    """Return a clock that shows the chain's time, and goes on from there.

    Args:
        told: The chain's time as the gateway tells it, Unix seconds; None: it does not, and this machine's is taken.
        steady: Gives seconds that only ever grow.

    Raises:
        Conflict: This machine's clock differs from it by more than an hour.
    """
    began = steady()
    start = int(time.time()) if told is None else told
    compare(start, int(time.time()))
    return lambda: int(start + steady() - began)


def compare(chain: int, local: int) -> None:
    """Warn if this machine's clock differs from the chain's by more than a minute, and refuse beyond an hour.

    Raises:
        Conflict: It differs by more than an hour, and `TDR_CLOCK` does not say that the chain's is right.
    """
    difference = local - chain
    if abs(difference) <= WARN_SECONDS:
        return
    told = (
        f"This machine's clock shows {show_time(local)}, but the chain's time is {show_time(chain)}:"
        f" this clock is {abs(difference)} s {'ahead' if difference > 0 else 'behind'}."
    )
    if abs(difference) > REFUSE_SECONDS and os.environ.get(VARIABLE) != CHAIN:
        raise Conflict(
            f"{told} Nothing is signed, for it would not be good for as long as you mean.",
            hint=f"Set this clock right. If it is, ask another gateway. If the chain's is, set {VARIABLE}={CHAIN}.",
        )
    print_warning(f"{told} Times are counted from the chain's.")
