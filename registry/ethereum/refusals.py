"""Every error with which our contracts refuse, as a sentence, a hint and an HTTP status: the one table of them.

A test holds the table against the ABIs in registry/artifacts/. Names, order and types of the values are Solidity's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from registry.base.errors import ContractRefused, InvalidInput
from registry.base.primitives import Address, Bytes32, keccak256
from registry.base.times import LAST_SECOND
from registry.ethereum.abi import WORD, Reader, text

UNNAMED = "Reverted"
"""The name given to a revert that is none of ours: without data, or with data that we cannot read."""

UNPROCESSABLE = 422
_SELECTOR_BYTES = 4
_TIMES = frozenset({"deadline", "blockTimestamp", "startsAt", "expiresAt"})
_IDS = frozenset({"datasetId", "tokenId"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """One Solidity error.

    Args:
        signature: Its name and types, for example ``DatasetExists(uint256)``.
        values: The names of its values, in order.
        status: The HTTP status that a gateway answers with.
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
        """The error's name in Solidity."""
        return self.signature.partition("(")[0]

    @property
    def types(self) -> tuple[str, ...]:
        """The Solidity types of its values."""
        inner = self.signature.partition("(")[2].removesuffix(")")
        return tuple(inner.split(",")) if inner else ()

    @property
    def selector(self) -> bytes:
        """The first four bytes of the revert data."""
        return keccak256(self.signature.encode())[:_SELECTOR_BYTES]


_AGAIN = "Look at the dataset as it is now, and sign a new message."

REFUSALS: tuple[Refusal, ...] = (
    # What concerns every message
    Refusal(
        "DeadlinePassed(uint64,uint256)",
        ("deadline", "blockTimestamp"),
        UNPROCESSABLE,
        "The message was good until {deadline}, but the chain's time is {blockTimestamp}: {late} s later.",
        "Sign it again with a later deadline. If it ought to be good, the clock that it was made by is slow.",
    ),
    Refusal(
        "NotAuthorised(address,address)",
        ("needed", "caller"),
        403,
        "Only {needed} may do this, or an operator of theirs, but {caller} sent it.",
        "Have the owner sign the message.",
    ),
    Refusal(
        "SignatureNotBySigner(address,bytes32)",
        ("signer", "digest"),
        403,
        "The signature is not one by {signer} over this message (digest {digest}).",
        "Sign with the owner's key, for this chain and this contract.",
    ),
    Refusal(
        "StringTooLong(uint256,uint256)",
        ("givenBytes", "maximumBytes"),
        UNPROCESSABLE,
        "A text has {givenBytes} bytes, but at most {maximumBytes} are allowed.",
        "Shorten it.",
    ),
    # Datasets
    Refusal(
        "DatasetExists(uint256)",
        ("datasetId",),
        409,
        "The dataset {datasetId} exists already.",
        "The same owner has registered the same content with the same salt; choose another salt to do it again.",
    ),
    Refusal(
        "DatasetUnknown(uint256)",
        ("datasetId",),
        404,
        "There is no dataset {datasetId}.",
        "Check the id; a dataset that was registered just now may not be in a block yet.",
    ),
    Refusal(
        "HeadMismatch(uint256,bytes32,bytes32)",
        ("datasetId", "present", "given"),
        409,
        "The dataset {datasetId} has changed: its head is {present}, but the message follows {given}.",
        _AGAIN,
    ),
    Refusal(
        "DatasetWithdrawn(uint256)",
        ("datasetId",),
        409,
        "The dataset {datasetId} has been withdrawn.",
        "A withdrawal is for good; register the content anew if it is to be used again.",
    ),
    Refusal(
        "SourceUnknown(uint256,uint24)",
        ("datasetId", "version"),
        UNPROCESSABLE,
        "The source {datasetId} has no version {version}.",
        "Name only sources that are registered on this chain.",
    ),
    Refusal(
        "SourcesNotAscending(uint256)",
        ("index",),
        UNPROCESSABLE,
        "The sources do not ascend by (datasetId, version) at index {index}.",
        "Sort them and leave out duplicates.",
    ),
    Refusal(
        "TooManySources(uint256,uint256)",
        ("given", "maximum"),
        UNPROCESSABLE,
        "{given} sources are named, but at most {maximum} are allowed.",
        "Register a collection of some of them as a dataset, and name that.",
    ),
    Refusal("ContentRootZero()", (), UNPROCESSABLE, "The content root is zero.", "Give the root of a manifest."),
    Refusal(
        "VersionsExhausted(uint256)",
        ("datasetId",),
        409,
        "The dataset {datasetId} has reached the highest version number there is.",
        "Register it anew, with this one as its source.",
    ),
    # Access
    Refusal("GranteeZero()", (), UNPROCESSABLE, "The grantee is the zero address, which nobody holds."),
    Refusal("RightsEmpty()", (), UNPROCESSABLE, "No right is named.", "Name at least one right."),
    Refusal(
        "TermEmpty(uint48,uint48)",
        ("startsAt", "expiresAt"),
        UNPROCESSABLE,
        "Access from {startsAt} until {expiresAt} would never hold.",
        "Let it end later than it starts, and later than now.",
    ),
    Refusal(
        "EpochMismatch(uint256,address,uint32,uint32)",
        ("datasetId", "grantee", "present", "given"),
        409,
        "The access of {grantee} to {datasetId} has changed: its epoch is {present}, but the message follows {given}.",
        "Look at the grants as they are now, and sign a new message.",
    ),
    Refusal(
        "RequestsMismatch(uint256,address,uint32,uint32)",
        ("datasetId", "grantee", "present", "given"),
        409,
        "{grantee} has made {present} requests for {datasetId}, but the message follows {given}.",
        "Look at the requests as they are now, and sign a new message.",
    ),
    Refusal(
        "NothingToRevoke(uint256,address)",
        ("datasetId", "grantee"),
        409,
        "{grantee} has no grant to {datasetId} that could be revoked.",
        "None was given, or it has been revoked already.",
    ),
    # ERC-721, as OpenZeppelin words it
    Refusal(
        "ERC721IncorrectOwner(address,uint256,address)",
        ("sender", "tokenId", "owner"),
        409,
        "The dataset {tokenId} is {owner}'s, not {sender}'s.",
        _AGAIN,
    ),
    Refusal(
        "ERC721InsufficientApproval(address,uint256)",
        ("operator", "tokenId"),
        403,
        "{operator} may not pass on the title to {tokenId}.",
        "The owner can approve it, or sign a transfer.",
    ),
    Refusal("ERC721InvalidApprover(address)", ("approver",), 403, "{approver} may not approve anybody for this title."),
    Refusal("ERC721InvalidOperator(address)", ("operator",), UNPROCESSABLE, "{operator} cannot be an operator."),
    Refusal("ERC721InvalidOwner(address)", ("owner",), UNPROCESSABLE, "{owner} cannot own a dataset."),
    Refusal("ERC721InvalidReceiver(address)", ("receiver",), UNPROCESSABLE, "{receiver} cannot receive a title."),
    Refusal("ERC721InvalidSender(address)", ("sender",), 409, "{sender} cannot pass on this title."),
    Refusal(
        "ERC721NonexistentToken(uint256)",
        ("tokenId",),
        404,
        "There is no dataset {tokenId}.",
        "Check the id; a dataset that was registered just now may not be in a block yet.",
    ),
    # What OpenZeppelin's short strings could raise in a constructor, and Solidity itself anywhere
    Refusal("InvalidShortString()", (), 500, "A contract holds a malformed name."),
    Refusal("StringTooLong(string)", ("str",), 500, "A contract's name is too long: {str}."),
    Refusal("Error(string)", ("message",), UNPROCESSABLE, "The contract refused: {message}."),
    Refusal("Panic(uint256)", ("code",), 500, "The contract failed an internal check (code {code})."),
)

_BY_SELECTOR: Mapping[bytes, Refusal] = {refusal.selector: refusal for refusal in REFUSALS}
_STATUS: Mapping[tuple[str, tuple[str, ...]], int] = {
    (refusal.name, refusal.values): refusal.status for refusal in REFUSALS
}


def read_refusal(data: bytes) -> ContractRefused:
    """The error that a contract reverted with.

    Args:
        data: The revert data; four bytes of selector, then the ABI-encoded values. It may be anything.
    """
    refusal = _BY_SELECTOR.get(data[:_SELECTOR_BYTES])
    try:
        if refusal is not None:
            return _refused(refusal, data[_SELECTOR_BYTES:])
    except InvalidInput:
        pass
    if not data:
        return ContractRefused(UNNAMED, {}, "The contract refused without saying why.")
    shown = f"0x{data[: 8 * WORD].hex()}"
    return ContractRefused(UNNAMED, {"data": shown}, f"The contract refused with data that is not known here: {shown}.")


def refusal_of(name: str, **values: object) -> ContractRefused:
    """Return the refusal of a name in the table, as a contract with these values would word it.

    Args:
        name: The Solidity error's name.
        values: Its values by their names, as `read_refusal` gives them.
    """
    refusal = next(one for one in REFUSALS if (one.name, set(one.values)) == (name, set(values)))
    return _worded(refusal, values)


def status_of(refused: ContractRefused) -> int:
    """The HTTP status with which a gateway answers such a refusal."""
    return _STATUS.get((refused.name, tuple(refused.values)), UNPROCESSABLE)


def _refused(refusal: Refusal, data: bytes) -> ContractRefused:
    words = Reader(data)
    values = {
        name: _value(words, index, name, kind)
        for index, (name, kind) in enumerate(zip(refusal.values, refusal.types, strict=True))
    }
    return _worded(refusal, values)


def _worded(refusal: Refusal, values: Mapping[str, object]) -> ContractRefused:
    shown = {name: _time(value) if name in _TIMES else value for name, value in values.items()}
    deadline, present = values.get("deadline"), values.get("blockTimestamp")
    if isinstance(deadline, int) and isinstance(present, int):
        shown["late"] = present - deadline
    return ContractRefused(refusal.name, values, refusal.sentence.format(**shown), hint=refusal.hint)


def _value(words: Reader, index: int, name: str, kind: str) -> object:
    if kind == "string":
        return text(words.tail(index))
    if kind == "address":
        return str(Address(words.address(index)))
    if kind == "bytes32" or name in _IDS:
        return str(Bytes32(words.word(index)))
    return words.uint(index, int(kind.removeprefix("uint")))


def _time(value: object) -> object:
    if not isinstance(value, int) or value > LAST_SECOND:
        return value
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
