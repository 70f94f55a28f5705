"""Prove a dataset by its head in the storage of `DatasetRegistry`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from registry.base.canonical import canonical_json
from registry.base.primitives import Address, Bytes32
from registry.base.times import time_text
from registry.ethereum.state import mapping_slot
from registry.evidence.parts import Count, Flag, Part
from registry.evidence.record import EventRecord, Record, json_value
from registry.rooms.datasets.events import Registered, Revised, Transferred, Withdrawn
from registry.rooms.datasets.head import NO_HEAD, Head
from registry.rooms.datasets.messages import CONTRACT, DATASET, Source
from registry.rooms.datasets.records import Dataset
from registry.rooms.proof_adapter import NotProven, ProofAdapter, RecordPart, Texts, VersionHashes

HEADS_SLOT: Final = 8
"""The storage slot of `DatasetRegistry`'s mapping of heads."""


class DatasetRecord(Part):
    """A dataset at the block of the record."""

    content_root: Bytes32
    head: Head
    metadata_hash: Bytes32
    owner: Address
    version: Count
    withdrawn: Flag


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version of a dataset, as the events of a record have it.

    Args:
        content_root: The root of its manifest.
        metadata_hash: SHA-256 of its metadata, or zero.
        sources: The versions that it derives from.
        claimant: The owner of the dataset when the version was registered.
        block: The height of the block in which it was.
        time: The time of that block, Unix seconds, UTC.
    """

    content_root: Bytes32
    metadata_hash: Bytes32
    sources: tuple[Source, ...]
    claimant: Address
    block: int
    time: int


@dataclass(frozen=True, slots=True)
class WithdrawalRecord:
    """The withdrawal of a dataset, as the events of a record have it.

    Args:
        reason: The reason; a JSON object with its bytes as `hex` where it is not UTF-8.
    """

    reason: object


def head_slot(dataset_id: bytes) -> Bytes32:
    """Return the storage slot of a dataset's head in `DatasetRegistry`."""
    return mapping_slot(HEADS_SLOT.to_bytes(32, "big"), dataset_id)


def dataset_in(record: Record) -> DatasetRecord:
    """Return the dataset of a record.

    Raises:
        TypeError: The record is not one of a dataset.
    """
    part = record.part(PART.field)
    if not isinstance(part, DatasetRecord):
        raise TypeError("the record is not one of a dataset")
    return part


def versions_in(record: Record) -> tuple[VersionRecord, ...]:
    """Return the versions whose registration a record has, ascending."""
    versions: list[VersionRecord] = []
    owner = ""
    for event in record.events:
        if event.event in (Registered.__name__, Transferred.__name__):
            owner = event.values["owner"]
        if event.event in (Registered.__name__, Revised.__name__):
            versions.append(_version(event, Address.parse(owner)))
    return tuple(versions)


def withdrawal_in(record: Record) -> WithdrawalRecord | None:
    """Return the withdrawal of the dataset in a record; None if it is not withdrawn."""
    withdrawals = [event for event in record.events if event.event == Withdrawn.__name__]
    return WithdrawalRecord(withdrawals[-1].values["reason"]) if withdrawals else None


def _version(event: EventRecord, claimant: Address) -> VersionRecord:
    values = event.values
    return VersionRecord(
        content_root=Bytes32.parse(values["contentRoot"]),
        metadata_hash=Bytes32.parse(values["metadataHash"]),
        sources=tuple(Source.parse(source) for source in values["sources"]),
        claimant=claimant,
        block=event.block,
        time=event.time,
    )


def _slots(subject: Bytes32, _account: Address, dataset: Dataset | None) -> Mapping[Bytes32, Bytes32]:
    return {head_slot(subject): NO_HEAD if dataset is None else dataset.head}


def _difference(_account: Address, expected: Bytes32, actual: Bytes32) -> str:
    return f"The events add up to the head {expected}, but the contract has {actual}."


def _record(_account: Address, dataset: Dataset) -> DatasetRecord:
    return DatasetRecord(
        content_root=dataset.latest.content_root,
        head=dataset.head,
        metadata_hash=dataset.latest.metadata_hash,
        owner=dataset.owner,
        version=dataset.latest.number,
        withdrawn=dataset.withdrawal is not None,
    )


def _owner(dataset: Dataset) -> Address:
    return dataset.owner


def _versions(dataset: Dataset) -> Sequence[VersionHashes]:
    return [VersionHashes(version.content_root, version.metadata_hash) for version in dataset.versions]


def _limits(_accounts: int, events: Sequence[tuple[Any, int]]) -> Sequence[NotProven]:
    """Return the limit for a withdrawn dataset, which may not be relied on."""
    return [
        NotProven("withdrawn", {"time": time, "reason": json_value(event.reason)})
        for event, time in events
        if isinstance(event, Withdrawn)
    ]


def _quoted(reason: object) -> str:
    return canonical_json(reason).decode()


TEXTS: Final[Texts] = {
    "en": {
        "head": lambda number: f"No version, transfer or withdrawal up to block {number} was left out.",
        "withdrawn": lambda time, reason: (
            f"That the dataset may still be relied on: its owner withdrew it, {time_text(time)}, "
            f"saying {_quoted(reason)}."
        ),
    },
    "zh": {
        "head": lambda number: f"截至区块 {number}，没有遗漏任何版本、转让或撤回。",
        "withdrawn": lambda time, reason: (
            f"该数据集是否仍可依赖：其权利人已于 {time_text(time)} 将其撤回，理由为 {_quoted(reason)}。"
        ),
    },
}

PART: Final = RecordPart("dataset", DatasetRecord, _record)

PROOF: Final = ProofAdapter(
    contract=CONTRACT,
    kind=DATASET,
    slots=_slots,
    difference=_difference,
    part=PART,
    owner=_owner,
    versions=_versions,
    limits=_limits,
    texts=TEXTS,
)
