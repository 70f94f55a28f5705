"""The shapes of the gateway's answers, as its OpenAPI describes them.

Routes write ready JSON; these models document it, and tests hold every answer against them, unknown members refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.lineage.graph import GraphDocument

Row = TypeVar("Row")
Height = Annotated[int, Field(ge=0, description="A block's height.")]
Time = Annotated[datetime, Field(description="ISO 8601, UTC, ending in Z.", examples=["2026-11-23T04:00:00Z"])]
Rights = Annotated[list[str], Field(description="The rights by name.", examples=[["read", "derive"]])]
Action = Literal["register", "revise", "transfer", "withdraw", "requestAccess", "grant", "revoke"]
_OBJECTS: Final = ("application/json", "application/ld+json", "application/vc")
ReceiptStatus = Literal["accepted", "signed", "sent", "mined", "final", "failed"]
DatasetStatus = Literal["active", "withdrawn"]


class Answer(BaseModel):
    """An object of an answer, its members in camelCase."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class AsOf(Answer):
    """An answer from the index, and the block up to which the index stood."""

    as_of_block: Height
    as_of_block_hash: Bytes32
    final_block: Annotated[int, Field(ge=0, description="The highest block that is final.")]


class Page(AsOf, Generic[Row]):
    """A page of a list."""

    items: list[Row]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Place(Answer):
    """When and where on the chain something happened."""

    block_number: Height
    block_hash: Bytes32
    time: Time
    transaction_hash: Bytes32
    log_index: int = Field(ge=0)


class SourceRef(Answer):
    """An exact version of a dataset."""

    dataset_id: DatasetId
    version: int = Field(ge=1)


class DatasetItem(Answer):
    """A dataset as it is now."""

    dataset_id: DatasetId
    owner: Address
    first_owner: Address
    version: int = Field(ge=1, description="The number of the latest version.")
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: str
    head: Bytes32
    status: DatasetStatus
    withdrawal_reason: str | None
    name: str | None = Field(description="From the metadata, where it was deposited here.")
    description: str | None
    sources: list[SourceRef]
    files: int | None = Field(description="From the manifest, where it was deposited here.")
    bytes: int | None
    registered_at: Time
    registered_block: Height
    updated_at: Time
    updated_block: Height
    transaction_hash: Bytes32 = Field(description="Of the transaction that made the latest version.")


class DatasetPage(Page[DatasetItem]):
    """A page of datasets."""


class Dataset(DatasetItem, AsOf):
    """One dataset as it is now."""

    metadata: Any = Field(description="The metadata of the latest version, where it was deposited here; else null.")


class VersionItem(Answer):
    """One version of a dataset."""

    version: int = Field(ge=1)
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: str
    sources: list[SourceRef]
    name: str | None
    at: Place


class VersionPage(Page[VersionItem]):
    """A page of versions."""


class HistoryItem(Answer):
    """One step of a dataset's history: its kind, its values, and the head after it."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, validate_by_name=True)

    kind: Literal["registered", "revised", "transferred", "withdrawn"]
    head: Bytes32
    at: Place


class HistoryPage(Page[HistoryItem]):
    """A page of steps of a history."""


class GrantItem(Answer):
    """One grant of access."""

    grantee: Address
    rights: Rights
    rights_mask: int = Field(ge=0, lt=2**32)
    starts_at: Time
    expires_at: Time = Field(description="As it was given.")
    ends_at: Time = Field(description="When it ends or ended: the earlier of its expiry, revocation or replacement.")
    state: Literal["scheduled", "active", "expired", "revoked", "replaced"]
    terms_hash: Bytes32
    epoch: int = Field(ge=1)
    at: Place
    ended_at: Time | None = Field(description="When it was revoked or replaced, if it was.")


class GrantPage(Page[GrantItem]):
    """A page of grants."""


class GranteeRequest(Answer):
    """One request for access by a known grantee."""

    rights: Rights
    rights_mask: int = Field(ge=0, lt=2**32)
    expires_at: Time
    purpose: str
    at: Place


class AccessRequestItem(GranteeRequest):
    """One request for access."""

    grantee: Address = Field(description="Who asks.")
    granted: bool = Field(description="Whether a grant to them followed, whatever has become of it.")


class AccessRequestPage(Page[AccessRequestItem]):
    """A page of requests for access."""


class Grantee(AsOf):
    """What is known of one grantee and one dataset."""

    epoch: int = Field(description="The epoch that the next grant or revocation must name.")
    requests: int = Field(description="The number of requests that the next request must name.")
    grants: list[GrantItem]
    access_requests: list[GranteeRequest]


class AccessTerm(Answer):
    """The grant that decides about a time: the latest given by then, else the first."""

    rights: Rights
    starts_at: Time
    expires_at: Time = Field(description="As it was given.")
    ends_at: Time = Field(description="When it ends or ended: the earlier of its expiry, revocation or replacement.")


class AccessAnswer(AsOf):
    """Whether somebody may use a dataset at a time, and why or why not."""

    allowed: bool
    reason: Literal["neverGranted", "scheduled", "active", "expired", "revoked"] = Field(
        description="What has become of the grant by that time; `active` exactly if allowed. `scheduled`: not begun."
    )
    rights: Rights = Field(description="Empty where not allowed.")
    starts_at: Time | None = Field(description="Null where not allowed; the former term is in `term`.")
    expires_at: Time | None = Field(description="When it ends or ended; null where not allowed.")
    term: AccessTerm | None = Field(description="The grant, whatever has become of it; null where none was ever given.")
    dataset_status: DatasetStatus = Field(description="A withdrawal ends no grant; none can be given after it.")
    at: Time


class Claim(Answer):
    """That somebody registered something with a hash."""

    match: Literal["root", "file", "metadata"]
    path: str | None = Field(description="The file's path in the manifest, where a file matches.")
    dataset_id: DatasetId
    version: int = Field(ge=1)
    claimant: Address = Field(description="Who owned the dataset when this version was registered.")
    owner: Address = Field(description="Who owns it now.")
    status: DatasetStatus
    at: Place


class Claims(AsOf):
    """Every registration that a hash is found in, in the order of the chain."""

    sha256: Bytes32
    claims: list[Claim]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Lineage(GraphDocument, AsOf):
    """The lineage of a dataset."""


class Failure(Answer):
    """Why a write failed."""

    error: str = Field(description="The Solidity error's name, or a word of the relayer's.")
    values: dict[str, Any]
    detail: str
    hint: str


class Receipt(Answer):
    """The durable answer to a write; it ends `final` or `failed`."""

    id: str
    action: Action
    status: ReceiptStatus
    dataset_id: DatasetId
    signer: Address | None
    digest: Bytes32 = Field(description="The EIP-712 digest of the message.")
    accepted_at: Time
    updated_at: Time
    transaction_hash: Bytes32 | None
    block_number: Height | None
    block_hash: Bytes32 | None
    failure: Failure | None
    already_done: bool = Field(description="Whether the chain held the effect already.")


class DocumentRecord(Answer):
    """A document of a version, and what became of it."""

    version: int = Field(ge=1)
    kind: Literal["manifest", "metadata"]
    hash: Bytes32 = Field(description="The version's content root, or its metadata hash.")
    state: Literal["public", "retracted", "withheld"]
    published_at: Time
    retracted_at: Time | None
    reason: str | None = Field(description="Why its owner took it back.")
    withheld_at: Time | None
    withheld_for: str | None = Field(description="Why the gateway's operator withholds it: law, order, case.")


class DocumentRecords(Answer):
    """The documents of a dataset that were ever published here."""

    dataset_id: DatasetId
    items: list[DocumentRecord]


class RequestPolicyAnswer(Answer):
    """Whether this gateway takes requests for access to a dataset."""

    dataset_id: DatasetId
    accepted: bool = Field(description="The owner's word; true where nothing was said.")
    max_open: int = Field(ge=0, description="Most requests that may be unanswered at once.")


class Eip712Domain(Answer):
    """The domain of typed data (EIP-712)."""

    name: str
    version: str
    chain_id: int = Field(ge=1)
    verifying_contract: Address


class TypedField(Answer):
    """A field of a struct of typed data (EIP-712)."""

    name: str
    type: str = Field(examples=["uint256"])


class MessageType(Answer):
    """What a wallet needs to sign a message, and where the signed message is posted."""

    contract: str = Field(description="The contract that takes it; its `domain` is the one to sign for.")
    path: str = Field(description="Where it is posted, with the message's `datasetId` in place of {dataset_id}.")
    types: dict[str, list[TypedField]] = Field(description="The `types` of eth_signTypedData_v4.")


class Contract(Answer):
    """Where a contract is."""

    address: Address
    block_number: Height | None = Field(description="The height at which it was deployed, or from which logs are read.")
    domain: Eip712Domain


class Contracts(BaseModel):
    """The contracts by name."""

    model_config = ConfigDict(extra="forbid")

    DatasetRegistry: Contract
    AccessGrants: Contract


class DeploymentAnswer(Answer):
    """Which chain and which contracts this gateway serves: what the EIP-712 domains are made of."""

    chain_id: int = Field(ge=1)
    genesis_hash: Bytes32
    chain_time: int | None = Field(
        description="Unix seconds: what the next block's timestamp would be about now. Deadlines are held against it."
    )
    contracts: Contracts
    messages: dict[str, MessageType] = Field(description="What can be signed, by the name of its struct.")


class RelayerHealth(Answer):
    """How the relayer is."""

    address: Address | None
    balance_wei: str | None = Field(description="A decimal string: the number may exceed what JSON readers keep.")
    in_flight: int
    oldest_unmined_seconds: float | None


class FinalityHealth(Answer):
    """When a block is final."""

    by: Literal["finalized", "depth"] = Field(description="By the node's `finalized` tag, or by blocks on top.")
    blocks: int | None = Field(None, description="How many blocks on top make a block final; absent for the tag.")


class CheckpointHealth(Answer):
    """How the checkpoints are."""

    height: Height | None = Field(description="Of the newest one that this node signed.")
    cosignatures: int | None = Field(description="How many witnesses have cosigned it.")
    alarms: int | None = Field(description="How many contradictions are known; /v1/checkpoints/alarms shows them.")


class CheckpointItem(Answer):
    """That this node, and perhaps witnesses, signed which block stands at a height."""

    height: Height
    block_hash: Bytes32
    signed_at: Time
    cosigned_by: list[str] = Field(description="The names of the witnesses' keys.")
    note: str = Field(description="The signed note (C2SP signed-note), for `tdr verify --trust` and others.")


class CheckpointPage(Answer):
    """Checkpoints, the lowest first."""

    items: list[CheckpointItem]
    next: int | None = Field(description="The `from` of the next page; null on the last.")


class CheckpointKeys(Answer):
    """The keys behind the checkpoints. Whoever trusts them compares them over another way than this one."""

    node: list[str] = Field(description="The keys of this node: one, unless it was replaced.")
    witnesses: list[str] = Field(description="The keys of the witnesses, past ones included.")


class CheckpointAlarm(Answer):
    """Two statements that cannot both be true of one chain."""

    number: int = Field(ge=1)
    kind: Literal["two-notes", "other-block", "fork"]
    height: Height
    ours: str = Field(description="The note that was signed before; without signatures: what was followed.")
    theirs: str = Field(description="The note against it; without signatures: what the node of who alarms now has.")
    reporter: str = Field(description="Who raised it: the name of a key.")
    reported_at: Time


class CheckpointAlarms(Answer):
    """All alarms, the oldest first."""

    items: list[CheckpointAlarm]


class Health(Answer):
    """How the node is."""

    status: Literal["ready", "degraded"]
    problems: list[str] = Field(description="What is wrong, as sentences; empty when ready.")
    chain_id: int
    height: Height | None = Field(description="The chain's; null when it cannot be reached.")
    final_block: Height | None
    finality: FinalityHealth | None = Field(description="Null until a node of the chain has been asked.")
    index_block: Height | None
    lag_blocks: int | None
    relayer: RelayerHealth
    checkpoint: CheckpointHealth
    accepted_to_mined_bound_seconds: float = Field(description="The published bound from accepted to mined.")
    version: str
    time: Time


class RpcCall(BaseModel):
    """One JSON-RPC request. Only methods that read are carried out."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    id: int | str | None
    method: str = Field(examples=["eth_blockNumber"])
    params: list[Any] = []


class RpcError(BaseModel):
    """Why a JSON-RPC request was not carried out."""

    model_config = ConfigDict(extra="forbid")

    code: int = Field(examples=[-32601])
    message: str
    data: Any = Field(None, description="What the chain adds, such as the data of a revert; absent where it adds none.")


class RpcAnswer(BaseModel):
    """One JSON-RPC answer: with `result` or with `error`, never with both."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    id: int | str | None
    result: Any = Field(None, description="Absent where there is an error.", examples=["0x2a"])
    error: RpcError | SkipJsonSchema[None] = Field(None, description="Absent where there is a result.")


def in_form(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that answers in another form than the gateway's JSON."""
    return {200: {"description": description, "content": {media_type: {"schema": schema_of(media_type)}}}}


def schema_of(media_type: str) -> dict[str, Any]:
    """Return the schema of an answer by its media type: generators leave an answer without a schema out."""
    if media_type in _OBJECTS:
        return {"type": "object", "additionalProperties": True}
    is_text = media_type.startswith("text/") or media_type.endswith("+xml")
    return {"type": "string"} if is_text else {"type": "string", "format": "binary"}
