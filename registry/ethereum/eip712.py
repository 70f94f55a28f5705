"""EIP-712 typed data, derived from pydantic models that mirror the Solidity structs.

The struct in contracts/ is authoritative. A model's fields are in the struct's order, each annotated with its Solidity
type. The type string, the hashes, the digest, the JSON body and the ABI tuple are all derived from the model.

Source: EIP-712, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from registry.base.errors import InvalidInput
from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32, DatasetId, keccak256
from registry.base.subject import Subject
from registry.ethereum.abi import left_padded, uint

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8259, section 6). Deadlines do not exceed it."""


@dataclass(frozen=True, slots=True)
class Solidity:
    """The Solidity type of a field, for `typing.Annotated`.

    Args:
        type: The type, for example ``uint256``.
    """

    type: str


_DOMAIN_FIELDS = (
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
)

AddressField = Annotated[Address, Solidity("address")]
Bytes32Field = Annotated[Bytes32, Solidity("bytes32")]
DatasetIdField = Annotated[DatasetId, Solidity("uint256")]
Uint24Field = Annotated[int, Field(strict=True, ge=0, lt=2**24), Solidity("uint24")]
Uint32Field = Annotated[int, Field(strict=True, ge=0, lt=2**32), Solidity("uint32")]
Uint48Field = Annotated[int, Field(strict=True, ge=0, lt=2**48), Solidity("uint48")]
Uint64Field = Annotated[int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER), Solidity("uint64")]
BoolField = Annotated[bool, Field(strict=True), Solidity("bool")]
StringField = Annotated[str, Field(strict=True), Solidity("string")]


@dataclass(frozen=True, slots=True)
class Domain:
    """The contract on a chain that a signature is valid for.

    Args:
        name: The contract's name.
        chain_id: The chain's id (EIP-155).
        contract: The contract's address.
    """

    name: str
    chain_id: int
    contract: Address

    VERSION: ClassVar[str] = "1"

    def separator(self) -> Bytes32:
        """Return the domain separator, computed as in the contract."""
        return Bytes32(
            keccak256(
                keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
                + keccak256(self.name.encode())
                + keccak256(self.VERSION.encode())
                + uint(self.chain_id)
                + left_padded(self.contract)
            )
        )

    def to_json(self) -> dict[str, Any]:
        """Return the domain in the form that wallets take."""
        return {
            "name": self.name,
            "version": self.VERSION,
            "chainId": self.chain_id,
            "verifyingContract": str(self.contract),
        }


class Struct(BaseModel):
    """A Solidity struct. Its Python fields are snake_case; its Solidity and JSON fields are camelCase."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    @classmethod
    def parse(cls, values: object) -> Self:
        """Read the struct strictly from a JSON object.

        Args:
            values: The object, with camelCase keys.

        Raises:
            InvalidInput: A field is wrong; the message names each such field.
        """
        try:
            return cls.model_validate(values, by_name=False, by_alias=True)
        except ValidationError as error:
            raise InvalidInput(f"This {cls.__name__} is malformed: {describe(error)}.") from None

    @classmethod
    def fields(cls) -> Mapping[str, str]:
        """Return the Solidity type of each field by its Solidity name, in order."""
        return _fields(cls)

    @classmethod
    def structs(cls) -> tuple[type[Struct], ...]:
        """Return the structs that the fields refer to, in alphabetical order."""
        return _children(cls)

    @classmethod
    def type_string(cls) -> str:
        """Return the struct's encoded type, followed by those of the structs it refers to, in alphabetical order."""
        return _type_string(cls)

    @classmethod
    def type_hash(cls) -> bytes:
        """Return the Keccak-256 of the type string (32 bytes)."""
        return _type_hash(cls)

    def struct_hash(self) -> bytes:
        """Return EIP-712's hashStruct (32 bytes)."""
        words = (
            _word(kind, getattr(self, name))
            for name, kind in zip(type(self).model_fields, self.fields().values(), strict=True)
        )
        return keccak256(self.type_hash() + b"".join(words))

    def abi_tuple(self) -> tuple[object, ...]:
        """Return the values in the order and form that the ABI encoder takes."""
        return tuple(_abi_value(getattr(self, name)) for name in type(self).model_fields)

    @classmethod
    def abi_type(cls) -> str:
        """Return the struct as an ABI tuple type, for example ``(uint256,uint24)``."""
        nested = {child.__name__: child.abi_type() for child in _children(cls)}
        kinds = (
            nested[kind.removesuffix("[]")] + kind[len(kind.removesuffix("[]")) :]
            if kind.removesuffix("[]") in nested
            else kind
            for kind in cls.fields().values()
        )
        return f"({','.join(kinds)})"

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object: camelCase names, hex strings for bytes, numbers for integers."""
        return self.model_dump(mode="json", by_alias=True)


class Signable(Struct):
    """A struct that an account signs under the domain of one contract.

    Its last field is `deadline`: Unix seconds, UTC, after which it has no effect.
    """

    CONTRACT: ClassVar[str]
    """The name of the contract whose domain it is signed under."""
    PATH: ClassVar[str]
    """Where a gateway takes it, the id of its subject in braces, for example ``/v1/datasets/{dataset_id}/grants``."""

    @property
    @abstractmethod
    def subject(self) -> Subject:
        """What it is about."""

    def digest(self, domain: Domain) -> Bytes32:
        """Return the 32 bytes that are signed.

        Raises:
            InvalidInput: The domain belongs to another contract.
        """
        if domain.name != self.CONTRACT:
            raise InvalidInput(f"A {type(self).__name__} is for {self.CONTRACT}, but the domain is {domain.name}'s.")
        return Bytes32(keccak256(b"\x19\x01" + domain.separator() + self.struct_hash()))

    def typed_data(self, domain: Domain) -> dict[str, Any]:
        """Return the JSON that a wallet's eth_signTypedData_v4 takes."""
        return {
            "domain": domain.to_json(),
            "types": self.types(),
            "primaryType": type(self).__name__,
            "message": self.to_json(),
        }

    @classmethod
    def types(cls) -> dict[str, list[dict[str, str]]]:
        """Return the `types` of the typed data: the fields of each struct in order, including the domain's."""
        types = {
            struct.__name__: [{"name": name, "type": kind} for name, kind in struct.fields().items()]
            for struct in (cls, *_children(cls))
        }
        return types | {"EIP712Domain": [dict(field) for field in _DOMAIN_FIELDS]}


class Message(Signable):
    """A struct that an account signs and that one entry point of one contract accepts."""

    FUNCTION: ClassVar[str]
    """The name of the entry point."""
    IS_OPEN: ClassVar[bool] = False
    """Whether any account may send it about another owner's subject, for example to request access."""

    if TYPE_CHECKING:  # The last field of each message; declared here it would become the first.
        deadline: int

    @property
    def extra_gas(self) -> int:
        """Return the gas this message may need beyond the allowance that all actions share."""
        return 0


class Statement(Signable):
    """A struct that an owner signs for the gateway only; no contract accepts it.

    Its type hash differs from those of all contract messages, so a signature of one is never valid for the other.
    """

    if TYPE_CHECKING:  # A field of each statement, its last; declared here it would be the first.
        deadline: int


def at_most_bytes(maximum: int) -> Callable[[str], str]:
    """Return a validator of strings with a maximum number of UTF-8 bytes, as in the contracts.

    Args:
        maximum: The maximum, in bytes.
    """

    def check(text: str) -> str:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise ValueError("it is not Unicode text: it holds a lone surrogate") from None
        if size > maximum:
            raise ValueError(f"it has {size} bytes in UTF-8; at most {maximum} are allowed")
        return text

    return check


def not_zero_address(address: Address) -> Address:
    """Return an address other than the zero address.

    Raises:
        ValueError: It is the zero address.
    """
    if address == ZERO_ADDRESS:
        raise ValueError("it is the zero address, which has no owner")
    return address


def describe(error: ValidationError) -> str:
    """Return a pydantic error as one phrase that names every wrong field."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc'])}: {_said(item['msg'])}" if item["loc"] else _said(item["msg"])
        for item in error.errors()
    )


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


@cache
def _fields(struct: type[Struct]) -> Mapping[str, str]:
    kinds: dict[str, str] = {}
    for name, field in struct.model_fields.items():
        kind = next((note.type for note in field.metadata if isinstance(note, Solidity)), None)
        if kind is None:
            raise TypeError(f"{struct.__name__}.{name} has no Solidity type")
        kinds[field.alias or name] = kind
    return kinds


@cache
def _children(struct: type[Struct]) -> tuple[type[Struct], ...]:
    children = {
        argument.__name__: argument
        for field in struct.model_fields.values()
        for argument in get_args(field.annotation)
        if isinstance(argument, type) and issubclass(argument, Struct)
    }
    return tuple(children[name] for name in sorted(children))


@cache
def _type_string(struct: type[Struct]) -> str:
    def own(part: type[Struct]) -> str:
        return f"{part.__name__}({','.join(f'{kind} {name}' for name, kind in _fields(part).items())})"

    return own(struct) + "".join(own(child) for child in _children(struct))


@cache
def _type_hash(struct: type[Struct]) -> bytes:
    return keccak256(_type_string(struct).encode())


def _word(kind: str, value: object) -> bytes:
    match value:
        case tuple():
            return keccak256(b"".join(_word(kind.removesuffix("[]"), item) for item in value))
        case Struct():
            return value.struct_hash()
        case str():
            return keccak256(value.encode())
        case bytes():
            return left_padded(value)
        case int():
            return uint(value)
    raise TypeError(f"no EIP-712 encoding for {kind}")


def _abi_value(value: object) -> object:
    match value:
        case tuple():
            return tuple(_abi_value(item) for item in value)
        case Struct():
            return value.abi_tuple()
        case DatasetId():
            return int(value)
        case Address():
            return str(value)
        case bytes():
            return bytes(value)
    return value
