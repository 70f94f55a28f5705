"""Verify files against a dataset's record, read directly from the chain.

A gateway is not trusted here. It may help to find things (a full id, the contract's address, the manifest), but
whatever it returns is checked, or listed as not proven.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from registry.base.errors import NotFound, VerificationFailed
from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.base.times import time_text
from registry.chain.calls import data_of
from registry.chain.client import Chain, ChainIdentity, identity_of
from registry.chain.history import BlockRef, block_at
from registry.evidence.code import require_genuine
from registry.manifest import Manifest
from registry.rooms.datasets.messages import CONTRACT
from registry.rooms.datasets.records import Dataset, Version
from registry.rooms.datasets.service import head_of, read_dataset
from registry.rooms.datasets.summary import Summary
from registry.rooms.deployment import Deployment
from registry.rooms.protocols import PROTOCOLS
from registry.verification.files import Files, compare_files
from registry.verification.report import (
    TRUTH_OF_CONTENT,
    Report,
    count,
    standing_of,
    summary_json,
    summary_text,
    what_followed,
)


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """A version of a dataset on the chain.

    Args:
        dataset: The dataset's whole history.
        version: The version.
        as_of: The block at which the chain was read.
        node: The name of the node.
        report: The steps and limits.
    """

    dataset: Dataset
    version: Version
    as_of: BlockRef
    node: str
    report: Report

    @property
    def summary(self) -> Summary:
        """The summary of the version."""
        return Summary.of(self.dataset, self.version.number)


def read_record(
    chain: Chain, node: str, deployment: Deployment, dataset_id: DatasetId, number: int | None
) -> ChainRecord:
    """Return a dataset's record, read directly from the chain and checked as far as possible.

    Args:
        chain: The chain.
        node: The name of the node.
        deployment: The presumed contracts.
        dataset_id: The dataset.
        number: The version; None means the latest.

    Raises:
        VerificationFailed: The contract is not genuine, or the node withholds a part of the history.
        NotFound: There is no such dataset or version on this chain.
        Unavailable: The node gave no usable answer.
    """
    identity = identity_of(chain)
    as_of = block_at(chain)
    registry = deployment.address_of(CONTRACT)
    release = _genuine_release(chain, identity, registry, as_of)
    dataset = read_dataset(chain, deployment, dataset_id, as_of)
    stored = head_of(chain, deployment, dataset_id, as_of)
    if dataset.head != stored:
        raise VerificationFailed(
            f"The events that {node} gives fold to the head {dataset.head}, but the contract's storage has {stored}.",
            hint="The node withholds or falsifies a part of the history. Ask another node: --rpc URL.",
        )
    version = _version(dataset, number)
    events = len(dataset.versions) + len(dataset.titles) - 1 + (dataset.withdrawal is not None)
    report = Report(not_proven=(TRUTH_OF_CONTENT,)).with_steps(
        f"The chain {identity.chain_id}, read at {node}, is at block {as_of.number}, "
        f"{as_of.hash}, {time_text(as_of.timestamp)}.",
        f"The contract at {registry} has the code of {CONTRACT} as released with tdr {release}: "
        "no account, including its deployer, can alter or remove a record in it.",
        f"The dataset's history, {count(events, 'event')}, folds to the head in the contract's storage, {stored}: "
        "no version, transfer or withdrawal was left out, changed or added.",
        f"Version {version.number} of {dataset.latest.number} has the content root {version.content_root}. "
        f"{summary_text(Summary.of(dataset, version.number))}",
    )
    return ChainRecord(dataset, version, as_of, node, _report(report, dataset, version, as_of, node))


def _report(report: Report, dataset: Dataset, version: Version, as_of: BlockRef, node: str) -> Report:
    """Return the report with the record, and with the limits of reading a chain in this way."""
    summary, withdrawal = Summary.of(dataset, version.number), dataset.withdrawal
    return replace(
        report.without_proof_of(
            f"That the chain is as {node} says: its answers about state and events were not proven. "
            "Ask a node that you trust: --rpc URL.",
            "That others mean this chain and this contract by the registry: compare the chain's id and the address "
            "above with what they publish.",
            f"Anything after block {as_of.number}, and that this block is final.",
            *what_followed(
                version.number,
                dataset.latest.number,
                None if withdrawal is None else (withdrawal.at.timestamp, withdrawal.reason),
            ),
        ),
        record={
            "datasetId": str(dataset.dataset_id),
            **summary_json(summary),
            "asOfBlock": as_of.number,
            "asOfBlockHash": str(as_of.hash),
            "node": node,
        },
        standing=standing_of(summary, is_complete=True),
    )


def verify_with_record(
    record: ChainRecord, files: Files, manifest: Manifest | None, named: str | None = None
) -> Report:
    """Return the report of a chain's record with the comparison of files.

    Args:
        record: The record.
        files: The files and folders.
        manifest: The manifest of the version, or None.
        named: The prefix of the dataset's id, if a gateway completed it.

    Raises:
        VerificationFailed: The manifest has another root.
        InvalidInput: The files cannot be compared.
    """
    report = record.report
    if named is not None:
        report = report.without_proof_of(
            f"That {named} is {record.dataset.dataset_id}: the gateway completed it, and another dataset can be made "
            "whose id begins with the same digits. Give the full id."
        )
    return compare_files(report, files, record.version.content_root, manifest)


def _genuine_release(chain: Chain, identity: ChainIdentity, registry: Address, as_of: BlockRef) -> str:
    code = data_of(chain.request("eth_getCode", [str(registry), as_of.height]))
    if not code:
        raise NotFound(
            f"There is no contract at {registry} on the chain {identity.chain_id}.",
            hint="Check that this is the right chain.",
        )
    return require_genuine(
        PROTOCOLS.contracts[CONTRACT], Bytes32(keccak256(code)), identity.chain_id, {CONTRACT: registry}
    )


def _version(dataset: Dataset, number: int | None) -> Version:
    if number is None:
        return dataset.latest
    if not 1 <= number <= len(dataset.versions):
        raise NotFound(f"The dataset has no version {number}.", hint=f"It has versions 1 to {dataset.latest.number}.")
    return dataset.versions[number - 1]
