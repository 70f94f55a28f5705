"""The contracts of a registry, and the chain that they are on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from registry.base.errors import InvalidInput, NotFound
from registry.base.primitives import Address, Bytes32


@dataclass(frozen=True, slots=True)
class ContractAt:
    """The place of a contract.

    Args:
        address: Its address.
        block_number: A height below which it has not logged anything.
    """

    address: Address
    block_number: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contracts of a registry by their names in Solidity, and the chain that they are on.

    Args:
        chain_id: The chain's id (EIP-155).
        genesis_hash: The hash of the chain's block 0.
        contracts: The contracts by name.
    """

    chain_id: int
    genesis_hash: Bytes32
    contracts: Mapping[str, ContractAt] = field(hash=False)

    @classmethod
    def of(cls, chain_id: int, genesis_hash: Bytes32, addresses: Mapping[str, Address], block_number: int) -> Self:
        """Return the deployment of contracts that have not logged anything below a height."""
        places = {name: ContractAt(address, block_number) for name, address in addresses.items()}
        return cls(chain_id, genesis_hash, places)

    @property
    def block_number(self) -> int:
        """A height below which no contract has logged anything."""
        return min((contract.block_number for contract in self.contracts.values()), default=0)

    @property
    def addresses(self) -> dict[str, Address]:
        """The contracts' addresses by name."""
        return {name: contract.address for name, contract in self.contracts.items()}

    def address_of(self, contract: str) -> Address:
        """Return the address of a contract by its name.

        Raises:
            NotFound: This registry does not have a contract of that name.
        """
        if contract not in self.contracts:
            raise NotFound(
                f"This registry does not have a contract {contract}.",
                hint=f"It has: {', '.join(self.contracts) or 'none'}. Another version of the program may have more.",
            )
        return self.contracts[contract].address


def parse_addresses(texts: Iterable[str]) -> dict[str, Address]:
    """Return contracts' addresses by name from texts of the form ``NAME=ADDRESS,...``.

    Raises:
        InvalidInput: A text is not of that form, an address is malformed, or a contract is named twice.
    """
    addresses: dict[str, Address] = {}
    for part in (part for text in texts for part in text.split(",") if part.strip()):
        name, separator, address = (piece.strip() for piece in part.partition("="))
        if not (name and separator and address):
            raise InvalidInput(f"Expected NAME=ADDRESS, but got {part.strip()[:80]!r}.")
        if name in addresses:
            raise InvalidInput(f"The contract {name[:80]} is named twice.", hint="Give each contract one address.")
        addresses[name] = Address.parse(address)
    return addresses
