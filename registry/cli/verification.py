"""Verifying files: against a manifest alone, or against what the chain itself says of a dataset.

The gateway's word counts for nothing here. It may help to find things (the whole of an id, the contracts' address, the
manifest), but whatever it gives is checked, or named among what is not proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.chain.client import Chain, ChainIdentity, identity_of
from registry.chain.contracts import data_of
from registry.chain.history import BlockRef, block_at
from registry.cli.times import show_time
from registry.datasets.records import Dataset, Version
from registry.datasets.service import head_of, read_dataset
from registry.deployment import Deployment
from registry.errors import NotFound, VerificationFailed
from registry.evidence.code import require_genuine
from registry.manifest import Entry, Manifest, Mismatch, compare
from registry.primitives import Address, Bytes32, DatasetId, keccak256

WHOLE = "."
"""The path of a mismatch of the whole content, where no manifest says which file differs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A path at which the files are not what was registered.

    Args:
        path: The file's path in the dataset, or WHOLE.
        expected: SHA-256 in hex of what was registered; None: nothing was, the file is extra.
        found: SHA-256 in hex of what is there; None: the file is missing.
    """

    path: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.path}: extra, it is not in the dataset"
        if self.found is None:
            return f"{self.path}: missing"
        return f"{self.path}: changed, expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """A version of a dataset as the chain has it.

    Args:
        dataset: The dataset's whole history.
        version: The version.
        as_of: The block at which the chain was read.
        node: Where it was read.
    """

    dataset: Dataset
    version: Version
    as_of: BlockRef
    node: str


@dataclass(slots=True)
class Report:
    """What was checked, step by step, what came out, and what was not proven."""

    steps: list[str] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    record: ChainRecord | None = None
    content_root: Bytes32 | None = None

    @property
    def verified(self) -> bool:
        """Whether the files are what was registered."""
        return not self.differences

    def to_json(self) -> Mapping[str, object]:
        """The report as a JSON object."""
        record = self.record
        return {
            "verified": self.verified,
            "datasetId": record and str(record.dataset.dataset_id),
            "version": record and record.version.number,
            "latestVersion": record and record.dataset.latest.number,
            "owner": record and str(record.dataset.owner),
            "registeredAt": record and show_time(record.version.at.timestamp),
            "withdrawn": record and record.dataset.withdrawal is not None,
            "contentRoot": None if self.content_root is None else str(self.content_root),
            "mismatches": [
                {"path": one.path, "expected": one.expected, "found": one.found} for one in self.differences
            ],
            "asOfBlock": record and record.as_of.number,
            "asOfBlockHash": record and str(record.as_of.hash),
            "node": record and record.node,
            "steps": self.steps,
            "notProven": self.not_proven,
        }


def read_record(
    chain: Chain, node: str, deployment: Deployment, dataset_id: DatasetId, number: int | None, report: Report
) -> ChainRecord:
    """Reads a dataset from the chain itself, and checks all that can be checked of it.

    Args:
        chain: The chain.
        node: What the node is called.
        deployment: Where the contracts are said to be.
        dataset_id: The dataset.
        number: The version; None: the latest.
        report: Takes the steps.

    Raises:
        VerificationFailed: The contract is not a genuine one, or the node withholds a part of the history.
        NotFound: There is no such dataset or version on this chain.
        Unavailable: The node gave no usable answer.
    """
    identity = identity_of(chain)
    as_of = block_at(chain)
    report.steps.append(
        f"The chain {identity.chain_id}, read at {node}, stands at block {as_of.number}, {show_time(as_of.timestamp)}."
    )
    release = _genuine_release(chain, identity, deployment.registry, as_of)
    report.steps.append(
        f"The contract at {deployment.registry} has the code of DatasetRegistry as released with tdr {release}: "
        "nobody, its deployer included, can alter or remove a record in it."
    )
    dataset = read_dataset(chain, deployment, dataset_id, as_of)
    stored = head_of(chain, deployment, dataset_id, as_of)
    if dataset.head != stored:
        raise VerificationFailed(
            f"The events that {node} gives fold to the head {dataset.head}, but the contract's storage has {stored}.",
            hint="The node withholds a part of the history, or gives a false one. Ask another: --rpc URL.",
        )
    steps = len(dataset.versions) + len(dataset.titles) - 1 + (dataset.withdrawal is not None)
    report.steps.append(
        f"The dataset's history, {_count(steps, 'event')}, folds to the head in the contract's storage, {stored}: "
        "no version, transfer or withdrawal was left out, changed or put in."
    )
    version = _version(dataset, number)
    report.steps.append(
        f"Version {version.number} of {dataset.latest.number} has the content root {version.content_root}. "
        f"{_owner_at(dataset, version)} registered it in block {version.at.block_number}, "
        f"{show_time(version.at.timestamp)}."
    )
    return ChainRecord(dataset, version, as_of, node)


def check_content(found: Manifest, root: Bytes32, manifest: Manifest | None, report: Report) -> None:
    """Compares what is on disk with a content root, and with its manifest where there is one.

    Args:
        found: What is on disk, unsalted.
        root: The content root that was registered.
        manifest: The manifest with that root, or None.
        report: Takes the steps and differences.

    Raises:
        VerificationFailed: The manifest has another root.
    """
    report.content_root = root
    if manifest is None:
        _check_root(found, root, report)
        return
    if manifest.root != root:
        raise VerificationFailed(
            f"The manifest has the content root {manifest.root}, but {root} is the registered one.",
            hint="It is the manifest of another dataset or version.",
        )
    report.steps.append(
        f"The manifest, {_count(len(manifest.entries), 'file')}, has exactly this content root: it is the one that "
        "was registered."
    )
    report.differences += [_difference(one) for one in compare(manifest, found)]
    report.steps.append(
        f"{_count(len(found.entries), 'file')} hashed here: "
        + (
            f"{_count(len(report.differences), 'difference')} from the manifest."
            if report.differences
            else "names, sizes and contents are those of the manifest."
        )
    )


def name_not_proven(report: Report) -> None:
    """Adds what no such verification proves."""
    record = report.record
    report.not_proven.append("That the content is true, or that whoever registered it had the right to.")
    if record is None:
        report.not_proven.append("That anybody registered this manifest, or when: no dataset was named.")
        return
    report.not_proven.append(
        f"That the chain is as {record.node} says: its answers about state and events were taken on its word. "
        "Ask a node that you trust: --rpc URL."
    )
    report.not_proven.append(
        "That this chain and this contract are those which others mean by the registry; compare the chain's id and the "
        "address above with what they publish."
    )
    report.not_proven.append(f"Anything after block {record.as_of.number}, and that this block is final.")
    if record.version.number != record.dataset.latest.number:
        report.not_proven.append(
            f"That version {record.version.number} still holds: version {record.dataset.latest.number} followed it."
        )
    if record.dataset.withdrawal is not None:
        report.not_proven.append(
            f"That the dataset may still be relied on: its owner withdrew it on "
            f"{show_time(record.dataset.withdrawal.at.timestamp)}, saying {record.dataset.withdrawal.reason!r}."
        )


def _genuine_release(chain: Chain, identity: ChainIdentity, registry: Address, as_of: BlockRef) -> str:
    code = data_of(chain.request("eth_getCode", [str(registry), as_of.height]))
    if not code:
        raise NotFound(
            f"There is no contract at {registry} on the chain {identity.chain_id}.", hint="Is this the right chain?"
        )
    return require_genuine("DatasetRegistry", Bytes32(keccak256(code)), identity.chain_id, registry, registry)


def _version(dataset: Dataset, number: int | None) -> Version:
    if number is None:
        return dataset.latest
    if not 1 <= number <= len(dataset.versions):
        raise NotFound(f"The dataset has no version {number}.", hint=f"It has versions 1 to {dataset.latest.number}.")
    return dataset.versions[number - 1]


def _owner_at(dataset: Dataset, version: Version) -> Address:
    return next(title.owner for title in reversed(dataset.titles) if title.since <= version.at)


def _check_root(found: Manifest, root: Bytes32, report: Report) -> None:
    # The same files have two forms: with their sizes, and as a list by sha256sum, without.
    if root in (found.root, found.without_sizes().root):
        report.steps.append(f"{_count(len(found.entries), 'file')} hashed here: they have exactly this content root.")
        return
    report.steps.append(f"{_count(len(found.entries), 'file')} hashed here: their content root is {found.root}.")
    report.differences.append(Difference(WHOLE, root.hex(), found.root.hex()))
    report.not_proven.append(
        "Which file differs: there is no manifest. And where the dataset is private, nothing can be told without its "
        "manifest: --manifest FILE."
    )


def _difference(mismatch: Mismatch) -> Difference:
    expected, found = mismatch.expected, mismatch.found
    return Difference(mismatch.path, _digest(expected), _digest(found))


def _digest(entry: Entry | None) -> str | None:
    return None if entry is None else entry.sha256.hex()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
