"""Names for accounts and datasets that are unique over all chains, as URIs for the documents of others' formats.

Source: CAIP-10 (accounts), CAIP-19 with the namespace erc721 of CAIP-22 (tokens), on chains of CAIP-2's eip155.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.primitives import Address, DatasetId


@dataclass(frozen=True, slots=True)
class Namer:
    """Gives the names within one registry.

    Args:
        chain_id: The chain's id (EIP-155).
        registry: The address of `DatasetRegistry`.
    """

    chain_id: int
    registry: Address

    @property
    def datasets(self) -> str:
        """What the names of all its datasets begin with."""
        return f"eip155:{self.chain_id}/erc721:{self.registry}/"

    @property
    def accounts(self) -> str:
        """What the names of all accounts on its chain begin with."""
        return f"eip155:{self.chain_id}:"

    def account(self, account: Address) -> str:
        """An account, for example ``eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb``."""
        return f"{self.accounts}{account}"

    def dataset(self, dataset_id: DatasetId) -> str:
        """A dataset: its token's number in decimal, as CAIP-22 has it."""
        return f"{self.datasets}{int(dataset_id)}"

    def version(self, dataset_id: DatasetId, version: int) -> str:
        """One version of a dataset: the dataset's name and a fragment, which CAIP-19 leaves open."""
        return f"{self.dataset(dataset_id)}#v{version}"
