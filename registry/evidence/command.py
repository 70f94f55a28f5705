"""The options by which `tdr verify` checks a bundle without a network."""

from __future__ import annotations

from registry.base.primitives import Bytes32, keccak256
from registry.evidence.bundle import Bundle


def trust_options(bundle: Bundle) -> tuple[str, ...]:
    """Return the options that pin every block that a bundle needs vouched for, the block of the record last.

    Warning: the hashes are the bundle's own. Using them without comparison means trusting the source of the bundle.

    Args:
        bundle: The bundle.
    """
    blocks = tuple(f"--block-hash {Bytes32(keccak256(run[-1]))}" for run in bundle.headers)
    return blocks if bundle.state is not None else (*blocks, f"--chain-id {bundle.chain_id}")
