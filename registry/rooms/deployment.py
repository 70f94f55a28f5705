"""Which contracts on which chain this registry is."""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.primitives import Address, Bytes32


@dataclass(frozen=True, slots=True)
class Deployment:
    """The two contracts, and the chain they are on.

    Args:
        chain_id: The chain's id (EIP-155).
        genesis_hash: The hash of its block 0.
        registry: The address of `DatasetRegistry`.
        grants: The address of `AccessGrants`.
        block_number: A height below which neither contract has logged anything.
    """

    chain_id: int
    genesis_hash: Bytes32
    registry: Address
    grants: Address
    block_number: int

    def address_of(self, contract: str) -> Address:
        """The address of a contract by its name in Solidity.

        Raises:
            KeyError: There is no contract of that name.
        """
        return {"DatasetRegistry": self.registry, "AccessGrants": self.grants}[contract]
