"""Limits on what the embedded chain's EVM spends on a message before the message is accepted.

If the owner is a contract, its code checks the signature, with the gas limit of the message's transaction. Gas does not
measure time in Python: operations that cost little gas, such as pairings, can take seconds. The nodes of a network
limit calls themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from registry.base.errors import InvalidInput
from registry.devchain.budget import Budget, OverBudget, limited

SECONDS: Final = 3.0
"""An honest rehearsal takes a few hundredths of a second."""
BLOCKS: Final = 10_000
BYTES: Final = 2**20


@contextmanager
def patient() -> Iterator[None]:
    """Limit the time and memory that calls of the embedded chain may use within this context.

    Raises:
        InvalidInput: They used more.
    """
    try:
        with limited(Budget(SECONDS, BLOCKS, BYTES)):
            yield
    except OverBudget as error:
        raise InvalidInput(
            f"Simulating this message takes too long: {error.message}. The limit is {SECONDS:g} s.",
            hint="If the owner is a contract, its check of the signature is too expensive. Nothing was accepted.",
        ) from error
