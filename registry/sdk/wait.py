"""Waiting until a write is on the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from registry.base.errors import Conflict, ContractRefused, Unavailable
from registry.sdk.exchange import Conversation, Pause, ask
from registry.sdk.models.receipts import Failure, Receipt
from registry.sdk.operations import receipts

LONG_POLL_SECONDS: Final = 25
RETRY_SECONDS: Final = 1.0

Progress = Callable[[Receipt], None]


def until_done(
    receipt: Receipt, *, until_final: bool, seconds: float, clock: Callable[[], float], progress: Progress | None
) -> Conversation[Receipt]:
    """Ask for a receipt until its write is mined, or final.

    Args:
        receipt: The receipt as it is known.
        until_final: Whether to wait until the write is final.
        seconds: How long to wait at most.
        clock: Return seconds that only grow.
        progress: Is called with the receipt before each request, and at the end.

    Returns:
        The receipt as it is then.

    Raises:
        ContractRefused: A contract refused the write.
        Conflict: The write failed for another reason.
        Unavailable: The time is over. The write may still have its effect.
    """
    limit = clock() + seconds
    while True:
        if progress is not None:
            progress(receipt)
        if receipt.status == "failed":
            _raise_failure(receipt)
        if receipt.status == "final" or (receipt.status == "mined" and not until_final):
            return receipt
        remaining = limit - clock()
        if remaining <= 0:
            raise Unavailable(
                f"After {seconds:g} s the write {receipt.id} is still {receipt.status!r}.",
                hint=f"It is not lost: ask again with `tdr receipt {receipt.id}`.",
            )
        poll = max(1, min(LONG_POLL_SECONDS, int(remaining)))
        try:
            receipt = yield from ask(receipts.receipt(receipt.id, wait=poll, until_final=until_final))
        except Unavailable:
            if clock() + RETRY_SECONDS > limit:
                raise
            yield Pause(RETRY_SECONDS)


def _raise_failure(receipt: Receipt) -> NoReturn:
    failure = receipt.failure or Failure()
    message = failure.detail or f"The write {receipt.id} failed. Its receipt gives no reason."
    if failure.error:
        raise ContractRefused(failure.error, failure.values, message)
    raise Conflict(message)
