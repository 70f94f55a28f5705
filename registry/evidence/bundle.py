"""Evidence bundles (format ``tdr-evidence/1``): everything that proves a dataset's record offline, in one JSON file.

A bundle has one form only: the canonical JSON (RFC 8785) of the model below, without a byte before or behind it. It
holds nothing that is not checked, so that no bit of it can be changed unnoticed. docs/evidence.md describes the format.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, WithJsonSchema

from registry.base.canonical import canonical_json, read_json
from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.eip712 import describe
from registry.evidence.record import Count, Part, Record, Text

FORMAT: Literal["tdr-evidence/1"] = "tdr-evidence/1"
MAX_BUNDLE_BYTES = 64 * 1024 * 1024


def _data(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not re.fullmatch("0x(?:[0-9a-f]{2})*", value):
        raise ValueError("bytes are written as a string of 0x and pairs of lower-case hex digits")
    return bytes.fromhex(value[2:])


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"


Data = Annotated[
    bytes,
    PlainValidator(_data),
    PlainSerializer(_hex, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-f]{2})*$", "description": "Bytes."}),
]
JsonObject = dict[str, Any]


class Contracts(Part):
    """The addresses of the contracts. AccessGrants is named where the bundle speaks of somebody's access."""

    access_grants: Annotated[Address | None, Field(alias="AccessGrants")]
    dataset_registry: Annotated[Address, Field(alias="DatasetRegistry")]


class Receipts(Part):
    """Receipts of one block: those of the transactions named, under the block's receipts root."""

    block: Count
    nodes: Annotated[tuple[Data, ...], Field(min_length=1)]
    transactions: Annotated[tuple[Count, ...], Field(min_length=1)]


class SignedMessage(Part):
    """The EIP-712 message behind an event, with its signer's signature.

    `event` is the event's index in the record.
    """

    event: Count
    message: JsonObject
    signature: Data


class File(Part):
    """One file of a version: its entry in the manifest, and the siblings on the way from it to the content root."""

    entry: JsonObject
    path: tuple[tuple[Literal["left", "right"], Bytes32], ...]


class Content(Part):
    """What a version's hashes stand for: its manifest or single files of it, and its metadata."""

    files: tuple[File, ...]
    manifest: JsonObject | None
    metadata: JsonObject | None
    version: Count


class Checkpoints(Part):
    """Signed notes for the blocks that have to be vouched for, and the keys of all who signed them.

    The keys are here so that each signature can be checked. Whether to trust them is the reader's choice.
    """

    keys: Annotated[tuple[Text, ...], Field(min_length=1)]
    notes: Annotated[tuple[Text, ...], Field(min_length=1)]


class Bundle(Part):
    """An evidence bundle. It proves nothing until it is verified.

    `headers` has runs of block headers, each header the parent of the next; the last header of each run has to be
    vouched for, and the very last is the block of the record. `state` has the trie nodes that show the contracts'
    accounts and slots at that block; it is null where no node had that state.
    """

    chain_id: Annotated[Count, Field(ge=1)]
    checkpoints: Checkpoints | None
    content: Content | None
    contracts: Contracts
    dataset_id: DatasetId
    format: Literal["tdr-evidence/1"]
    headers: Annotated[tuple[Annotated[tuple[Data, ...], Field(min_length=1)], ...], Field(min_length=1)]
    messages: tuple[SignedMessage, ...]
    receipts: Annotated[tuple[Receipts, ...], Field(min_length=1)]
    record: Record
    state: Annotated[tuple[Data, ...], Field(min_length=1)] | None

    @classmethod
    def parse(cls, source: bytes) -> Self:
        """Reads a bundle, and requires that it is in its one form.

        Raises:
            InvalidInput: It is no bundle, or not in that form.
        """
        if len(source) > MAX_BUNDLE_BYTES:
            raise InvalidInput(f"A bundle has at most {MAX_BUNDLE_BYTES} bytes, but this has {len(source)}.")
        document = read_json(source)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise InvalidInput(f'An evidence bundle is a JSON object with "format": "{FORMAT}", but this is not.')
        try:
            bundle = cls.model_validate(document)
        except ValidationError as error:
            raise InvalidInput(f"This bundle is malformed: {describe(error)[:1000]}.") from None
        if bundle.to_json() != source:
            raise InvalidInput(
                "This bundle is not in canonical form (RFC 8785), which it has as it is issued.",
                hint="Use the file as it was issued, neither formatted nor edited.",
            )
        return bundle

    def to_json(self) -> bytes:
        """The bundle's one form."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))
