"""The shapes of the gateway's answers, as its OpenAPI describes them.

Routes write finished JSON. These models document it; tests validate every answer against them, and reject unknown
members.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from registry.base.primitives import Address, Bytes32

Row = TypeVar("Row")
Height = Annotated[int, Field(ge=0, description="A block's height.")]
Time = Annotated[datetime, Field(description="ISO 8601, UTC, ending in Z.", examples=["2026-11-23T04:00:00Z"])]
_OBJECTS: Final = ("application/json", "application/ld+json", "application/vc")
ReceiptStatus = Literal["accepted", "signed", "sent", "mined", "final", "failed"]


class Answer(BaseModel):
    """An object in an answer, with its members in camelCase."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class AsOf(Answer):
    """An answer from the index, with the block up to which the index had read."""

    as_of_block: Height
    as_of_block_hash: Bytes32
    final_block: Annotated[int, Field(ge=0, description="The highest block that is final.")]


class Page(AsOf, Generic[Row]):
    """A page of a list."""

    items: list[Row]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Place(Answer):
    """The time and position of an event on the chain."""

    block_number: Height
    block_hash: Bytes32
    time: Time
    transaction_hash: Bytes32
    log_index: int = Field(ge=0)


class Failure(Answer):
    """Why a write failed."""

    error: str = Field(description="The Solidity error's name, or a code of the relayer.")
    values: dict[str, Any]
    detail: str
    hint: str


class Subject(Answer):
    """An item that the registry keeps records of."""

    kind: str = Field(description="The kind of item, for example `dataset`.")
    id: Bytes32


class Receipt(Answer):
    """The durable answer to a write; its last state is `final` or `failed`."""

    id: str
    action: str = Field(description="The function of the contract that it calls.", examples=["register"])
    status: ReceiptStatus
    subject: Subject = Field(description="The item that the write is about.")
    signer: Address | None
    digest: Bytes32 = Field(description="The EIP-712 digest of the message.")
    accepted_at: Time
    updated_at: Time
    transaction_hash: Bytes32 | None
    block_number: Height | None
    block_hash: Bytes32 | None
    failure: Failure | None
    already_done: bool = Field(description="Whether the effect was on the chain already.")


def in_form(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route whose answer is not the gateway's JSON."""
    return {200: {"description": description, "content": {media_type: {"schema": schema_of(media_type)}}}}


def schema_of(media_type: str) -> dict[str, Any]:
    """Return the schema of an answer by its media type. Generators of clients omit answers without a schema."""
    if media_type in _OBJECTS:
        return {"type": "object", "additionalProperties": True}
    is_text = media_type.startswith("text/") or media_type.endswith("+xml")
    return {"type": "string"} if is_text else {"type": "string", "format": "binary"}
