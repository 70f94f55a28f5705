"""Solidity errors as a sentence, a hint and an HTTP status.

The errors of a room are in its `errors.py`. A test compares them with the ABIs in registry/artifacts/: the names, the
order and the types of the values are those of Solidity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from registry.base.errors import ContractRefused, InvalidInput
from registry.base.primitives import Address, Bytes32, keccak256
from registry.base.times import LAST_SECOND, iso_time, unix_time_text
from registry.ethereum.abi import WORD, Reader, text

UNNAMED = "Reverted"
"""The name for a revert that matches no known error: without data, or with data that cannot be decoded."""

UNPROCESSABLE = 422
_SELECTOR_BYTES = 4


@dataclass(frozen=True, slots=True)
class Refusal:
    """One Solidity error.

    Args:
        signature: Its name and types, for example ``DatasetExists(uint256)``.
        values: The names of its values, in order.
        status: The HTTP status of a gateway's answer.
        sentence: What was wrong, with the values' names in braces.
        hint: What to do about it.
    """

    signature: str
    values: tuple[str, ...]
    status: int
    sentence: str
    hint: str = ""

    @property
    def name(self) -> str:
        """Return the error's name in Solidity."""
        return self.signature.partition("(")[0]

    @property
    def types(self) -> tuple[str, ...]:
        """Return the Solidity types of its values."""
        inner = self.signature.partition("(")[2].removesuffix(")")
        return tuple(inner.split(",")) if inner else ()

    @property
    def selector(self) -> bytes:
        """Return the first four bytes of the revert data."""
        return keccak256(self.signature.encode())[:_SELECTOR_BYTES]


SHARED_REFUSALS: tuple[Refusal, ...] = (
    # Errors of every message
    Refusal(
        "DeadlinePassed(uint64,uint256)",
        ("deadline", "blockTimestamp"),
        UNPROCESSABLE,
        "The message was valid until {deadline}; the chain's time is {blockTimestamp}, {late} s later.",
        "Sign it again with a later deadline. If it should still be valid, the clock of the signer's machine is slow.",
    ),
    Refusal(
        "NotAuthorised(address,address)",
        ("needed", "caller"),
        403,
        "Only {needed} or one of its operators may do this; the sender is {caller}.",
        "Have the owner sign the message.",
    ),
    Refusal(
        "SignatureNotBySigner(address,bytes32)",
        ("signer", "digest"),
        403,
        "The signature is not by {signer} over this message (digest {digest}).",
        "Sign with the owner's key, for this chain and this contract.",
    ),
    Refusal(
        "StringTooLong(uint256,uint256)",
        ("givenBytes", "maximumBytes"),
        UNPROCESSABLE,
        "A text has {givenBytes} bytes; at most {maximumBytes} are allowed.",
        "Shorten it.",
    ),
    # Errors of OpenZeppelin's short strings (in a constructor) and of Solidity itself
    Refusal("InvalidShortString()", (), 500, "A contract holds a malformed name."),
    Refusal("StringTooLong(string)", ("str",), 500, "A contract's name is too long: {str}."),
    Refusal("Error(string)", ("message",), UNPROCESSABLE, "The contract refused: {message}."),
    Refusal("Panic(uint256)", ("code",), 500, "The contract failed an internal check (code {code})."),
)
"""The errors that all contracts share. Those of a room are in its `errors.py`."""


class RefusalTable:
    """Errors of contracts, found by their selector.

    Args:
        refusals: The errors; no two have the same signature.
    """

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        self._by_selector = {refusal.selector: refusal for refusal in refusals}
        if len(self._by_selector) != len(self.refusals):
            raise ValueError("two errors have one selector")

    def read(self, data: bytes) -> ContractRefused:
        """Return the error for a contract's revert data.

        Args:
            data: The revert data: a selector of four bytes, then the ABI-encoded values. It may be malformed.
        """
        refusal = self._by_selector.get(data[:_SELECTOR_BYTES])
        try:
            if refusal is not None:
                return _refused(refusal, data[_SELECTOR_BYTES:])
        except InvalidInput:
            pass
        if not data:
            return ContractRefused(UNNAMED, {}, "The contract reverted without a reason.")
        shown = f"0x{data[: 8 * WORD].hex()}"
        return ContractRefused(UNNAMED, {"data": shown}, f"The contract reverted with unknown data: {shown}.")

    def refusal_of(self, name: str, **values: object) -> ContractRefused:
        """Return the named error, worded as if a contract had reverted with these values.

        Args:
            name: The Solidity error's name.
            values: Its values by name, in the form that `read` returns.
        """
        identity = (name, set(values))
        return _worded(next(error for error in self.refusals if (error.name, set(error.values)) == identity), values)


SHARED: Final = RefusalTable(SHARED_REFUSALS)


def _refused(refusal: Refusal, data: bytes) -> ContractRefused:
    words = Reader(data)
    values = {
        name: _value(words, index, name, kind)
        for index, (name, kind) in enumerate(zip(refusal.values, refusal.types, strict=True))
    }
    return _worded(refusal, values)


def _worded(refusal: Refusal, values: Mapping[str, object]) -> ContractRefused:
    shown = {name: _time(value) if _is_time(name) else value for name, value in values.items()}
    deadline, present = values.get("deadline"), values.get("blockTimestamp")
    if isinstance(deadline, int) and isinstance(present, int):
        shown["late"] = present - deadline
    sentence = refusal.sentence.format(**shown)
    return ContractRefused(refusal.name, values, sentence, hint=refusal.hint, status=refusal.status)


def _value(words: Reader, index: int, name: str, kind: str) -> object:
    if kind == "string":
        return text(words.tail(index))
    if kind == "address":
        return str(Address(words.address(index)))
    if kind == "bytes32" or (kind == "uint256" and name.endswith("Id")):
        return str(Bytes32(words.word(index)))
    return words.uint(index, int(kind.removeprefix("uint")))


def _is_time(name: str) -> bool:
    return name in ("deadline", "blockTimestamp") or name.endswith("At")


def _time(value: object) -> object:
    if not isinstance(value, int):
        return value
    return unix_time_text(value) if value > LAST_SECOND else iso_time(value)
