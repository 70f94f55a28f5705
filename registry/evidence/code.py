"""Which code the contracts' accounts must have: that of a release of this project, and no other.

A block's state has the hash of every account's code. The code of our contracts holds, as immutables, the chain's id,
its own address and, for AccessGrants, the registry's address; all else in it is the same wherever it is deployed. So
the hash is known beforehand, and one comparison shows that an address is a genuine contract of a release, on the chain
that the evidence names. `releases.json` keeps the code of every release for ever, as evidence does not expire.
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

IMMUTABLES = ("domainSeparator", "chainId", "address", "hashedName", "hashedVersion", "name", "version", "registry")
"""The immutables in the order in which the compiler lists them; DatasetRegistry has all but the last."""


@dataclass(frozen=True, slots=True)
class Template:
    """A contract's code in a release, its immutables left zero.

    Args:
        release: The version of this project that it came with.
        contract: The contract's name.
        code: The code.
        immutables: Where in it the 32 bytes of each immutable stand, by the names in IMMUTABLES.
    """

    release: str
    contract: str
    code: bytes
    immutables: Mapping[str, Sequence[int]]

    def deployed(self, chain_id: int, address: Address, registry: Address) -> bytes:
        """The code that an account has where this contract was deployed.

        Args:
            chain_id: The chain's id.
            address: The account's address.
            registry: The address of DatasetRegistry on the same chain.
        """
        domain = Domain(self.contract, chain_id, address)
        values = {
            "domainSeparator": domain.separator(),
            "chainId": uint(chain_id),
            "address": left_padded(address),
            "hashedName": keccak256(domain.name.encode()),
            "hashedVersion": keccak256(domain.VERSION.encode()),
            "name": _short_string(domain.name),
            "version": _short_string(domain.VERSION),
            "registry": left_padded(registry),
        }
        code = bytearray(self.code)
        for name, offsets in self.immutables.items():
            for offset in offsets:
                code[offset : offset + 32] = values[name]
        return bytes(code)


@cache
def templates() -> tuple[Template, ...]:
    """The code of all contracts in all releases."""
    releases = json.loads(Path(__file__).with_name("releases.json").read_bytes())
    return tuple(
        Template(release, contract, bytes.fromhex(entry["code"][2:]), entry["immutables"])
        for release, contracts in releases.items()
        for contract, entry in contracts.items()
    )


def require_genuine(contract: str, code_hash: Bytes32, chain_id: int, address: Address, registry: Address) -> str:
    """Requires that an account has a release's code.

    Args:
        contract: The contract's name.
        code_hash: Keccak-256 of the account's code.
        chain_id: The chain's id.
        address: The account's address.
        registry: The address of DatasetRegistry on the same chain.

    Raises:
        VerificationFailed: Its code is another.

    Returns:
        The release that the code came with.
    """
    for template in templates():
        if template.contract == contract and keccak256(template.deployed(chain_id, address, registry)) == code_hash:
            return template.release
    raise VerificationFailed(
        f"The account {address} does not have the code that {contract} has on chain {chain_id} in any known release.",
        hint="It is another contract or another chain, or a release newer than this program.",
    )


def _short_string(text: str) -> bytes:
    """A string of up to 31 bytes as OpenZeppelin's ShortStrings packs it: the bytes, zeros, and the length last."""
    raw = text.encode()
    return raw.ljust(31, b"\0") + bytes([len(raw)])
