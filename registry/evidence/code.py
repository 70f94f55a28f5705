"""Check that a contract's account has the code of a release of this project.

A block's state has the hash of every account's code. The code of our contracts contains, as immutables, the chain's id,
its own address and the addresses of the contracts that it refers to; the rest is the same in every deployment.
Therefore the expected hash can be computed, and one comparison shows that an address is a genuine contract of a
release on the chain that the evidence names. `releases.json` keeps the code of every release permanently, because
evidence does not expire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from registry.base.errors import VerificationFailed
from registry.base.primitives import Address, Bytes32, keccak256
from registry.ethereum.abi import left_padded, uint
from registry.ethereum.eip712 import Domain
from registry.rooms.protocol import Contract

_OF_EVERY_CONTRACT = ("domainSeparator", "chainId", "address", "hashedName", "hashedVersion", "name", "version")


def immutables_of(contract: Contract) -> tuple[str, ...]:
    """Return the names of a contract's immutables in the order in which the compiler lists them."""
    return (*_OF_EVERY_CONTRACT, *_references(contract))


def _references(contract: Contract) -> dict[str, str]:
    """Return the names of the contracts that a contract refers to, by the names of its immutables."""
    return {view.removesuffix("()").lower(): name for view, name in contract.references.items()}


@dataclass(frozen=True, slots=True)
class Template:
    """A contract's code in a release, with its immutables set to zero.

    Args:
        release: The version of this project.
        contract: The contract's name.
        code: The code.
        immutables: The offsets of each immutable of 32 bytes, by its name; see `immutables_of`.
    """

    release: str
    contract: str
    code: bytes
    immutables: Mapping[str, Sequence[int]]

    def deployed(self, contract: Contract, chain_id: int, addresses: Mapping[str, Address]) -> bytes:
        """Return the code of an account to which this contract was deployed.

        Args:
            contract: The contract.
            chain_id: The chain's id.
            addresses: The addresses of the contract and of those that it refers to, by name.
        """
        address = addresses[contract.name]
        domain = Domain(self.contract, chain_id, address)
        values = {
            "domainSeparator": domain.separator(),
            "chainId": uint(chain_id),
            "address": left_padded(address),
            "hashedName": keccak256(domain.name.encode()),
            "hashedVersion": keccak256(domain.VERSION.encode()),
            "name": _short_string(domain.name),
            "version": _short_string(domain.VERSION),
            **{name: left_padded(addresses[other]) for name, other in _references(contract).items()},
        }
        code = bytearray(self.code)
        for name, offsets in self.immutables.items():
            for offset in offsets:
                code[offset : offset + 32] = values[name]
        return bytes(code)


@cache
def templates() -> tuple[Template, ...]:
    """Return the code of all contracts in all releases."""
    releases = json.loads(Path(__file__).with_name("releases.json").read_bytes())
    return tuple(
        Template(release, contract, bytes.fromhex(entry["code"][2:]), entry["immutables"])
        for release, contracts in releases.items()
        for contract, entry in contracts.items()
    )


def require_genuine(contract: Contract, code_hash: Bytes32, chain_id: int, addresses: Mapping[str, Address]) -> str:
    """Require that an account has a release's code.

    Args:
        contract: The contract.
        code_hash: Keccak-256 of the account's code.
        chain_id: The chain's id.
        addresses: The addresses of the contract and of those that it refers to, by name.

    Raises:
        VerificationFailed: It has other code.

    Returns:
        The release of the code.
    """
    for template in templates():
        if template.contract == contract.name:
            code = template.deployed(contract, chain_id, addresses)
            if keccak256(code) == code_hash:
                return template.release
    raise VerificationFailed(
        f"The account {addresses[contract.name]} does not have the code that {contract.name} has on chain {chain_id} "
        "in any known release.",
        hint="It is another contract, another chain, or a release newer than this program.",
    )


def _short_string(text: str) -> bytes:
    """Return a short string packed as by OpenZeppelin's ShortStrings: the bytes, zeros, and the length last."""
    raw = text.encode()
    return raw.ljust(31, b"\0") + bytes([len(raw)])
