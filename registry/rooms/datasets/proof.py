"""How evidence proves a dataset: by its head in the storage of `DatasetRegistry`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from registry.base.canonical import canonical_json
from registry.base.errors import NotFound
from registry.base.primitives import Address, Bytes32
from registry.base.times import time_text
from registry.ethereum.state import mapping_slot
from registry.evidence.parts import Count, Flag, Part
from registry.evidence.record import Record, json_value
from registry.rooms.datasets.events import Withdrawn
from registry.rooms.datasets.head import NO_HEAD, Head
from registry.rooms.datasets.messages import CONTRACT, DATASET
from registry.rooms.datasets.records import Dataset
from registry.rooms.proof_adapter import NotProven, ProofAdapter, RecordPart, Texts, VersionHashes

HEADS_SLOT: Final = 8
"""Where `DatasetRegistry` has its mapping of heads."""


class DatasetRecord(Part):
    """A dataset at the block of the record."""

    content_root: Bytes32
    head: Head
    metadata_hash: Bytes32
    owner: Address
    version: Count
    withdrawn: Flag


def head_slot(dataset_id: bytes) -> Bytes32:
    """Return the slot in which `DatasetRegistry` keeps a dataset's head."""
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


def content_root_in(record: Record, version: int) -> Bytes32:
    """Return the content root of a version of the dataset in a record.

    Raises:
        NotFound: The dataset has no such version.
    """
    roots = [event.values["contentRoot"] for event in record.events if event.event in ("Registered", "Revised")]
    if not 1 <= version <= len(roots):
        raise NotFound(f"The dataset had no version {version} at block {record.block.number}.")
    return Bytes32.parse(roots[version - 1])


def _slots(subject: Bytes32, _account: Address, dataset: Dataset | None) -> Mapping[Bytes32, Bytes32]:
    return {head_slot(subject): NO_HEAD if dataset is None else dataset.head}


def _difference(_account: Address, expected: Bytes32, found: Bytes32) -> str:
    return f"The events add up to the head {expected}, but the contract has {found}."


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
    """Return that a withdrawn dataset may not be relied on."""
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
