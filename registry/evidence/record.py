"""What evidence shows of a dataset: its events, decoded and placed on the chain, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from registry.base.canonical import MAX_SAFE_INTEGER
from registry.base.errors import InvalidInput, NotFound
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId, FixedBytes
from registry.ethereum.header import Header
from registry.ethereum.logs import Log, Moment
from registry.ethereum.state import Pair
from registry.rooms.access import events as access_events
from registry.rooms.access import records as access_records
from registry.rooms.access.events import AccessEvent
from registry.rooms.access.records import Access
from registry.rooms.datasets import events as dataset_events
from registry.rooms.datasets import records as dataset_records
from registry.rooms.datasets.events import DatasetEvent
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import Source
from registry.rooms.datasets.records import Dataset

Count = Annotated[int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER)]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]


class Part(BaseModel):
    """A JSON object of the format: no other fields than its own, camelCase, unchangeable."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class BlockRecord(Part):
    """A block. `time` is Unix seconds, UTC."""

    hash: Bytes32
    number: Count
    time: Count


class DatasetRecord(Part):
    """A dataset at the block of the record."""

    content_root: Bytes32
    head: Head
    metadata_hash: Bytes32
    owner: Address
    version: Count
    withdrawn: Flag


class AccessRecord(Part):
    """What AccessGrants keeps of a grantee at the block of the record; all zero where it keeps nothing.

    `expiresAt` is the time of the revocation where that came first.
    """

    epoch: Count
    expires_at: Count
    grantee: Address
    requests: Count
    revoked: Flag
    rights: Count
    starts_at: Count


class EventRecord(Part):
    """An event: its name and values as in Solidity, and where it stands.

    `transaction` counts from 0 in its block, `log` from 0 in its transaction; `time` is the block's. A string that is
    not UTF-8 stands as an object with its bytes as `hex`.
    """

    block: Count
    event: Text
    log: Count
    time: Count
    transaction: Count
    values: dict[str, Any]


class Record(Part):
    """A dataset as of a block, with its whole history up to there, and the access of some grantees."""

    access: tuple[AccessRecord, ...]
    block: BlockRecord
    dataset: DatasetRecord
    events: tuple[EventRecord, ...]

    def content_root(self, version: int) -> Bytes32:
        """The content root of a version.

        Raises:
            NotFound: There is no such version.
        """
        roots = [event.values["contentRoot"] for event in self.events if event.event in ("Registered", "Revised")]
        if not 1 <= version <= len(roots):
            raise NotFound(f"The dataset had no version {version} at block {self.block.number}.")
        return Bytes32.parse(roots[version - 1])


@dataclass(frozen=True, slots=True)
class Placed:
    """A log and where it stands on the chain.

    Args:
        log: The log.
        block: The header of its block.
        transaction: The transaction's index in the block, from 0.
        index: The log's index in the transaction's receipt, from 0.
    """

    log: Log
    block: Header
    transaction: int
    index: int


@dataclass(frozen=True, slots=True)
class Shown:
    """An event, where it stands, and the dataset just before it.

    Args:
        event: The event.
        placed: Where it stands.
        before: The dataset before it; None for its registration.
        epoch: The epoch of the grantee before it; 0 for events of the dataset.
    """

    event: DatasetEvent | AccessEvent
    placed: Placed
    before: Dataset | None


@dataclass(frozen=True, slots=True)
class History:
    """A dataset's events, and what they add up to.

    Args:
        shown: Every event that changed the record, in the order of the chain.
        dataset: The dataset after the last of them.
        access: The access of each grantee that was asked about; None for one of whom there is no event.
    """

    shown: tuple[Shown, ...]
    dataset: Dataset
    access: dict[Address, Access | None]

    def pair(self, grantee: Address) -> Pair:
        """What AccessGrants must keep of a grantee after these events."""
        access = self.access[grantee]
        if access is None:
            return Pair()
        if not access.grants:
            return Pair(requests=len(access.requests))
        grant = access.grants[-1]
        return Pair(grant.starts_at, grant.until, grant.rights, access.epoch, len(access.requests), grant.is_revoked)

    def record(self, block: Header) -> Record:
        """The record as of a block that is no earlier than the last event."""
        dataset = self.dataset
        return Record(
            access=tuple(_access_record(grantee, self.pair(grantee)) for grantee in self.access),
            block=BlockRecord(hash=block.hash, number=block.number, time=block.timestamp),
            dataset=DatasetRecord(
                content_root=dataset.latest.content_root,
                head=dataset.head,
                metadata_hash=dataset.latest.metadata_hash,
                owner=dataset.owner,
                version=dataset.latest.number,
                withdrawn=dataset.withdrawal is not None,
            ),
            events=tuple(_event_record(shown) for shown in self.shown),
        )


def history_of(
    logs: Iterable[Placed],
    dataset_id: DatasetId,
    registry: Address,
    grants: Address | None,
    grantees: Sequence[Address],
) -> History:
    """What logs add up to.

    Args:
        logs: Logs in the order of the chain. Those that do not concern the dataset or the grantees are passed over.
        dataset_id: The dataset.
        registry: The address of DatasetRegistry.
        grants: The address of AccessGrants.
        grantees: Whose access to show.

    Raises:
        InvalidInput: There is no registration, or an event cannot follow the one before: some are left out.
    """
    dataset: Dataset | None = None
    access: dict[Address, Access | None] = dict.fromkeys(grantees)
    shown: list[Shown] = []
    for placed in logs:
        event = _decoded(placed.log, registry, grants)
        if event is None or event.dataset_id != dataset_id:
            continue
        before = dataset
        # A receipt's proof tells neither the log's index in the block nor the transaction's hash: no record here uses
        # either, and the order of the events is kept.
        at = Moment(placed.block.number, len(shown), placed.block.timestamp, placed.block.hash, ZERO_BYTES32)
        if isinstance(event, DatasetEvent):
            dataset = dataset_records.fold(dataset, event, at)
        elif event.grantee in access:
            access[event.grantee] = access_records.fold(access[event.grantee], event, at)
        else:
            continue
        shown.append(Shown(event, placed, before))
    if dataset is None:
        raise InvalidInput(f"The registration of the dataset {dataset_id} is not among the events.")
    return History(tuple(shown), dataset, access)


def _decoded(log: Log, registry: Address, grants: Address | None) -> DatasetEvent | AccessEvent | None:
    if log.address == registry:
        return dataset_events.decode(log)
    return access_events.decode(log) if log.address == grants else None


def _access_record(grantee: Address, pair: Pair) -> AccessRecord:
    return AccessRecord(
        grantee=grantee,
        starts_at=pair.starts_at,
        expires_at=pair.expires_at,
        rights=pair.rights,
        epoch=pair.epoch,
        requests=pair.requests,
        revoked=pair.revoked,
    )


def _event_record(shown: Shown) -> EventRecord:
    event, placed = shown.event, shown.placed
    names = [field.name for field in fields(event) if field.name != "dataset_id"]
    return EventRecord(
        block=placed.block.number,
        event=type(event).__name__,
        log=placed.index,
        time=placed.block.timestamp,
        transaction=placed.transaction,
        values={to_camel(name): _json(getattr(event, name)) for name in names},
    )


def _json(value: object) -> Any:
    match value:
        case tuple():
            return [_json(item) for item in value]
        case Source():
            return value.to_json()
        case FixedBytes():
            return str(value)
        case bytes():
            return _text(value)
    return value


def _text(raw: bytes) -> Any:
    """A Solidity string, whose bytes need not be UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"hex": f"0x{raw.hex()}"}
