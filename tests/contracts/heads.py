"""The ids and heads of datasets by the formulas of the contracts' interfaces, computed with eth-abi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

Message = Mapping[str, Any]
ZERO = bytes(32)


def dataset_id(registration: Message) -> int:
    """The id by C4's formula."""
    fields = [registration["owner"], registration["contentRoot"], registration["salt"]]
    return int.from_bytes(keccak(encode(["address", "bytes32", "bytes32"], fields)), "big")


def first_head(registration: Message) -> bytes:
    """The head of a fresh registration, by the interface's definition."""
    step = keccak(
        encode(
            ["bytes32", "uint256", "address", "bytes32", "bytes32", "bytes32", "bytes32"],
            [
                keccak(text="tdr.registration"),
                dataset_id(registration),
                registration["owner"],
                registration["contentRoot"],
                registration["metadataHash"],
                keccak(text=registration["uri"]),
                _sources_hash(registration["sources"]),
            ],
        )
    )
    return _linked(ZERO, step, 1, withdrawn=False)


def revised_head(head: bytes, revision: Message) -> bytes:
    """The head after a revision."""
    step = keccak(
        encode(
            ["bytes32"] * 5,
            [
                keccak(text="tdr.revision"),
                revision["contentRoot"],
                revision["metadataHash"],
                keccak(text=revision["uri"]),
                _sources_hash(revision["sources"]),
            ],
        )
    )
    return _linked(head, step, _version(head) + 1, withdrawn=_is_withdrawn(head))


def transferred_head(head: bytes, sender: str, to: str) -> bytes:
    """The head after the title passed on."""
    step = keccak(encode(["bytes32", "address", "address"], [keccak(text="tdr.transfer"), sender, to]))
    return _linked(head, step, _version(head), withdrawn=_is_withdrawn(head))


def withdrawn_head(head: bytes, reason: str) -> bytes:
    """The head after a withdrawal."""
    step = keccak(encode(["bytes32", "bytes32"], [keccak(text="tdr.withdrawal"), keccak(text=reason)]))
    return _linked(head, step, _version(head), withdrawn=True)


def _linked(previous: bytes, step: bytes, version: int, *, withdrawn: bool) -> bytes:
    return keccak(previous + step)[:28] + version.to_bytes(3, "big") + bytes([withdrawn])


def _version(head: bytes) -> int:
    return int.from_bytes(head[28:31], "big")


def _is_withdrawn(head: bytes) -> bool:
    return head[31] == 1


def _sources_hash(sources: list[Message]) -> bytes:
    pairs = [(source["datasetId"], source["version"]) for source in sources]
    return keccak(encode(["(uint256,uint24)[]"], [pairs]))
