"""Find the signed message in the input of the transaction that carried it.

Source: Contract ABI Specification, argument encoding.
"""

from __future__ import annotations

from typing import Any

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.chain.calls import calldata
from registry.ethereum.abi import WORD, Reader
from registry.ethereum.eip712 import Message, Struct
from registry.rooms.protocol import Protocols

_SELECTOR_BYTES = 4


def read_call(data: bytes, protocols: Protocols) -> tuple[Message, bytes] | None:
    """Return the message and the signature in a call of one of the rooms' entry points.

    Args:
        data: The transaction's input.
        protocols: The rooms.

    Returns:
        Message and signature; None if it is another call, has an unusual encoding, or has no signature because the
        signer sent it.
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
    if not any(solidity == "string" or solidity.endswith("[]") for solidity in fields.values()):
        return _message(kind, words), words.tail(len(fields))  # A static struct is encoded in place.
    return _message(kind, Reader(words.data[words.uint(0, 32) :])), words.tail(1)


def _message(kind: type[Message], words: Reader) -> Message:
    structs = {struct.__name__: struct for struct in kind.structs()}
    values: dict[str, Any] = {}
    for index, (name, solidity) in enumerate(kind.fields().items()):
        if solidity == "string":
            values[name] = words.tail(index).decode()
        elif solidity.endswith("[]"):
            values[name] = _array(structs[solidity.removesuffix("[]")], words, index)
        else:
            values[name] = _word(solidity, words, index)
    return kind.parse(values)


def _array(struct: type[Struct], words: Reader, index: int) -> list[Struct]:
    """Return the array of static structs whose offset is at an index."""
    fields = list(struct.fields().items())
    start, length = words.length_at(index)
    if length > len(words.data) // WORD:
        raise InvalidInput(f"The array of {struct.__name__} is truncated.")
    return [
        struct.parse({name: _word(solidity, words, at + place) for place, (name, solidity) in enumerate(fields)})
        for at in range(start, start + len(fields) * length, len(fields))
    ]


def _word(solidity: str, words: Reader, index: int) -> Any:
    match solidity:
        case "address":
            return Address(words.address(index))
        case "bytes32":
            return Bytes32(words.word(index))
        case "uint256":  # Every uint256 in a message is a dataset's id.
            return DatasetId(words.word(index))
    return words.uint(index, int(solidity.removeprefix("uint")))
