"""The time from which deadlines are computed: the chain's, compared with this machine's clock.

With a clock that is ahead, signatures are valid for longer than intended; with one that is behind, they are not valid
at all. A gateway that lies about the chain's time has the same effect. So neither is trusted where they differ much.
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
    """Require a deadline that has not passed by either clock, before any request or prompt.

    Raises:
        InvalidInput: It is not a time, or it passed longer ago than the clocks may differ.
    """
    now = int(time.time())
    if parse_time(text, now=now) + REFUSE_SECONDS <= now and os.environ.get(VARIABLE) != CHAIN:
        raise InvalidInput(
            f"The deadline {text!r} has already passed: this machine's clock shows {show_time(now)}.",
            hint="Give a later time, or a duration such as 1h.",
        )


def running_from(told: int | None, steady: Callable[[], float] = time.monotonic) -> Callable[[], int]:
    """Return a clock that starts at the chain's time.

    Args:
        told: The chain's time from the gateway, Unix seconds; None to start at this machine's time.
        steady: Return the seconds of a monotonic clock.

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
        Conflict: It differs by more than an hour, and `TDR_CLOCK` is not set to ``chain``.
    """
    difference = local - chain
    if abs(difference) <= WARN_SECONDS:
        return
    message = (
        f"This machine's clock shows {show_time(local)}, but the chain's time is {show_time(chain)}:"
        f" this clock is {abs(difference)} s {'ahead' if difference > 0 else 'behind'}."
    )
    if abs(difference) > REFUSE_SECONDS and os.environ.get(VARIABLE) != CHAIN:
        raise Conflict(
            f"{message} Nothing was signed, because the signature would expire at another time than intended.",
            hint=f"Correct this clock. If it is right, use another gateway. If the chain's is, set {VARIABLE}={CHAIN}.",
        )
    print_warning(f"{message} The chain's time is used.")
