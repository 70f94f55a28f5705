"""The compiled contracts, as `scripts/compile_contracts.py` made them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


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

    def is_code(self, code: bytes) -> bool:
        """Whether code found on a chain is this contract's, whatever its constructor wrote."""
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return bytes(masked) == self.deployed_code


@cache
def artifact(name: str) -> Artifact:
    """The compiled contract of a name, for example ``DatasetRegistry``."""
    values = json.loads(resources.files(__name__).joinpath(f"{name}.json").read_text())
    return Artifact(
        name=name,
        creation_code=bytes.fromhex(values["bytecode"].removeprefix("0x")),
        deployed_code=bytes.fromhex(values["deployedBytecode"].removeprefix("0x")),
        immutables=tuple(
            (item["start"], item["length"]) for places in values["immutableReferences"] for item in places
        ),
    )
