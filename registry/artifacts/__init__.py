"""The compiled contracts, as `scripts/compile_contracts.py` made them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    Args:
        name: Its name in Solidity.
        creation_code: What a transaction that creates it carries, constructor arguments behind it.
        deployed_code: What is then found at its address, with zeros where the constructor writes.
        immutables: Where the constructor writes: (first byte, number of bytes).
    """

    name: str
    creation_code: bytes
    deployed_code: bytes
    immutables: tuple[tuple[int, int], ...]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the contract in an artifact of `scripts/compile_contracts.py`."""
        return cls(
            name=values["contractName"],
            creation_code=bytes.fromhex(values["bytecode"].removeprefix("0x")),
            deployed_code=bytes.fromhex(values["deployedBytecode"].removeprefix("0x")),
            immutables=tuple(
                (item["start"], item["length"]) for places in values["immutableReferences"] for item in places
            ),
        )

    def is_code(self, code: bytes) -> bool:
        """Return whether code on a chain is that of this contract, whatever its constructor wrote."""
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return bytes(masked) == self.deployed_code


@cache
def artifact(name: str) -> Artifact:
    """Return the compiled contract of a name."""
    values = json.loads(resources.files(__name__).joinpath(f"{name}.json").read_text())
    return Artifact.from_json(values)
