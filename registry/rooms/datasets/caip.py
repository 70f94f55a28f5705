"""Globally unique names of accounts and datasets, as URIs for documents in standard formats.

Source: CAIP-10 (accounts), CAIP-19 with the namespace erc721 of CAIP-22 (tokens), on chains of CAIP-2's eip155.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from registry.base.primitives import Address, DatasetId
from registry.rooms.datasets.messages import CONTRACT
from registry.rooms.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Namer:
    """A source of names for the accounts and datasets of one registry.

    Args:
        chain_id: The chain's id (EIP-155).
        token_contract: The address of the contract whose ERC-721 tokens are the datasets.
    """

    chain_id: int
    token_contract: Address

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        """Return the namer for the datasets of a deployment.

        Raises:
            NotFound: The deployment has no contract for datasets.
        """
        return cls(deployment.chain_id, deployment.address_of(CONTRACT))

    @property
    def datasets(self) -> str:
        """The prefix of the names of all datasets."""
        return f"eip155:{self.chain_id}/erc721:{self.token_contract}/"

    @property
    def accounts(self) -> str:
        """The prefix of the names of all accounts on the chain."""
        return f"eip155:{self.chain_id}:"

    def account(self, account: Address) -> str:
        """Return the name of an account, for example ``eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb``."""
        return f"{self.accounts}{account}"

    def dataset(self, dataset_id: DatasetId) -> str:
        """Return the name of a dataset: the prefix and its token's number in decimal (CAIP-22)."""
        return f"{self.datasets}{int(dataset_id)}"

    def version(self, dataset_id: DatasetId, version: int) -> str:
        """Return the name of a version: the dataset's name and a fragment, which CAIP-19 does not define."""
        return f"{self.dataset(dataset_id)}#v{version}"
