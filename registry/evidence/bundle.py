"""Evidence bundles (format ``tdr-evidence/1``): everything that proves a dataset's record offline, in one JSON file.

A bundle has exactly one form: the canonical JSON (RFC 8785) of the model below, without further bytes. Everything in it
is checked, so no bit of it can be changed unnoticed. docs/evidence.md describes the format.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, WithJsonSchema, create_model

from registry.base.canonical import canonical_json, read_json
from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.eip712 import describe
from registry.evidence.parts import Count, Part, Text
from registry.evidence.record import BlockRecord, EventRecord, Record, proof_of
from registry.rooms.protocol import Protocols

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
    """The addresses of the contracts."""

    # The fields are the contracts of the rooms: see `form_of`.
    def addresses(self) -> dict[str, Address]:
        """Return the given addresses by the contracts' names."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: address for name, address in given.items() if address is not None}


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
    """One file of a version: its entry in the manifest, and the siblings on the path from it to the content root."""

    entry: JsonObject
    path: tuple[tuple[Literal["left", "right"], Bytes32], ...]


class Content(Part):
    """The content of a version: its manifest or single files, and its metadata."""

    files: tuple[File, ...]
    manifest: JsonObject | None
    metadata: JsonObject | None
    version: Count


class Checkpoints(Part):
    """Signed notes for the blocks that must be vouched for, and the keys that signed them.

    The keys are included so that each signature can be checked. Whether to trust them is the reader's decision.
    """

    keys: Annotated[tuple[Text, ...], Field(min_length=1)]
    notes: Annotated[tuple[Text, ...], Field(min_length=1)]


class Bundle(Part):
    """An evidence bundle. It proves nothing until it is verified.

    `headers` has runs of block headers, each header the parent of the next. The last header of each run must be
    vouched for; the last header of all is the block of the record. `state` has the trie nodes that prove the
    contracts' accounts and slots at that block; it is null if no node had that state.
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

    def to_json(self) -> bytes:
        """Return the bundle in its canonical form."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


@cache
def form_of(protocols: Protocols) -> type[Bundle]:
    """Return the model of a bundle that shows some rooms: the contracts and the record have a member for each.

    Args:
        protocols: The rooms.
    """
    adapters = [proof_of(room) for room in protocols.proven]
    notes = [adapter.part.note for adapter in adapters if adapter.part.note]
    addresses: dict[str, Any] = {
        adapter.contract: (
            Annotated[Address if adapter.part.account is None else Address | None, Field(alias=adapter.contract)],
            ...,
        )
        for adapter in sorted(adapters, key=lambda adapter: adapter.contract)
    }
    members: dict[str, Any] = {"block": (BlockRecord, ...), "events": (tuple[EventRecord, ...], ...)}
    for adapter in adapters:
        model: Any = adapter.part.model
        members[adapter.part.field] = (model if adapter.part.account is None else tuple[model, ...], ...)
    contracts = create_model(
        "Contracts", __base__=Contracts, __doc__=" ".join([str(Contracts.__doc__), *notes]), **addresses
    )
    record = create_model("Record", __base__=Record, __doc__=Record.__doc__, **dict(sorted(members.items())))
    return create_model(
        "Bundle", __base__=Bundle, __doc__=Bundle.__doc__, contracts=(contracts, ...), record=(record, ...)
    )


def parse_bundle(source: bytes, protocols: Protocols) -> Bundle:
    """Return a bundle after requiring that it is in its canonical form.

    Args:
        source: The bundle, byte for byte as it was issued.
        protocols: The rooms whose state it can show.

    Raises:
        InvalidInput: It is not a bundle, or not in canonical form.
    """
    if len(source) > MAX_BUNDLE_BYTES:
        raise InvalidInput(f"A bundle has at most {MAX_BUNDLE_BYTES} bytes, but this has {len(source)}.")
    document = read_json(source)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInput(f'An evidence bundle is a JSON object with "format": "{FORMAT}", but this is not.')
    try:
        bundle = form_of(protocols).model_validate(document)
    except ValidationError as error:
        raise InvalidInput(f"This bundle is malformed: {describe(error)[:1000]}.") from None
    if bundle.to_json() != source:
        raise InvalidInput(
            "This bundle is not in canonical form (RFC 8785), so it is not as it was issued.",
            hint="Use the file as it was issued, without formatting or editing it.",
        )
    return bundle
