"""Find the signed message in the input of the transaction that carried it.

Source: Contract ABI Specification, argument encoding.
"""

from __future__ import annotations

from typing import Any

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.chain.calls import calldata
from registry.ethereum.abi import WORD, Reader
from registry.ethereum.eip712 import Message
from registry.rooms.datasets.messages import Source
from registry.rooms.protocol import Protocols

_SELECTOR_BYTES = 4


def read_call(data: bytes, protocols: Protocols) -> tuple[Message, bytes] | None:
    """Return the message and the signature in a call of one of the rooms' entry points.

    Args:
        data: The transaction's input.
        protocols: The rooms.

    Returns:
        None where it is not such a call, is encoded in an unusual way, or carries no signature (the signer sent it).
    """
    for kind in protocols.messages.values():
        if data[:_SELECTOR_BYTES] == keccak256(f"{kind.FUNCTION}({kind.abi_type()},bytes)".encode())[:_SELECTOR_BYTES]:
            try:
                message, signature = _decoded(kind, Reader(data[_SELECTOR_BYTES:]))
            except (InvalidInput, UnicodeDecodeError):
                return None
            return (message, signature) if signature and calldata(message, signature) == data else None
    return None


def _decoded(kind: type[Message], words: Reader) -> tuple[Message, bytes]:
    fields = kind.fields()
    if not {"string", "Source[]"} & set(fields.values()):  # A static struct stands in the arguments themselves.
        return _struct(kind, words), words.tail(len(fields))
    struct = Reader(words.data[words.uint(0, 32) :])
    return _struct(kind, struct), words.tail(1)


def _struct(kind: type[Message], words: Reader) -> Message:
    values = {name: _value(solidity, words, index) for index, (name, solidity) in enumerate(kind.fields().items())}
    return kind.parse(values)


def _value(solidity: str, words: Reader, index: int) -> Any:
    match solidity:
        case "string":
            return words.tail(index).decode()
        case "Source[]":
            start, length = words.length_at(index)
            if length > len(words.data) // WORD:
                raise InvalidInput("The array of sources is cut short.")
            return [
                Source.parse({"datasetId": DatasetId(words.word(at)), "version": words.uint(at + 1, 24)})
                for at in range(start, start + 2 * length, 2)
            ]
        case "address":
            return Address(words.address(index))
        case "bytes32":
            return Bytes32(words.word(index))
        case "uint256":  # Every uint256 in a message is a dataset's id.
            return DatasetId(words.word(index))
    return words.uint(index, int(solidity.removeprefix("uint")))
