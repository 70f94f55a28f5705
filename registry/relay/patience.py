"""How long a message may keep the embedded chain's EVM busy before it is known to be worth anything.

Where the owner is a contract, its code judges the signature, with as much gas as the message's transaction may use. Gas
is no measure of time in Python: what is cheap by it, such as pairings, can take seconds. A network's node has limits of
its own for calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from registry.base.errors import InvalidInput
from registry.devchain.budget import Budget, OverBudget, limited

SECONDS: Final = 3.0
"""An honest rehearsal takes some hundredths of one."""
BLOCKS: Final = 10_000
BYTES: Final = 2**20


@contextmanager
def patient() -> Iterator[None]:
    """Bound what the calls within may take of the embedded chain.

    Raises:
        InvalidInput: They took more.
    """
    try:
        with limited(Budget(SECONDS, BLOCKS, BYTES)):
            yield
    except OverBudget as error:
        raise InvalidInput(
            f"Carrying this message out takes more than this node gives it, {SECONDS:g} s: {error.message}.",
            hint="Where the owner is a contract, its check of the signature is too costly. Nothing was accepted.",
        ) from error
