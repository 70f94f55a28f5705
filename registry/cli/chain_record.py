"""A dataset's record, read from the chain itself and checked in every way that the chain allows.

The gateway's word counts for nothing here. It may help to find things (the whole of an id, the contract's address, the
manifest), but whatever it gives is checked, or named among what is not proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry.base.errors import NotFound, VerificationFailed
from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.chain.calls import data_of
from registry.chain.client import Chain, ChainIdentity, identity_of
from registry.chain.history import BlockRef, block_at
from registry.cli.comparison import Report, count, name_what_followed, standing_of, summary_json, summary_text
from registry.evidence.code import require_genuine
from registry.evidence.summary import Summary, time_text
from registry.rooms.datasets.records import Dataset, Version
from registry.rooms.datasets.service import head_of, read_dataset
from registry.rooms.deployment import Deployment


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

    @property
    def summary(self) -> Summary:
        """The version at a glance."""
        return Summary.of(self.dataset, self.version.number)

    def to_json(self) -> Mapping[str, object]:
        """What a report says of it."""
        return {
            "datasetId": str(self.dataset.dataset_id),
            **summary_json(self.summary),
            "asOfBlock": self.as_of.number,
            "asOfBlockHash": str(self.as_of.hash),
            "node": self.node,
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
        f"The chain {identity.chain_id}, read at {node}, stands at block {as_of.number}, "
        f"{as_of.hash}, {time_text(as_of.timestamp)}."
    )
    registry = deployment.address_of("DatasetRegistry")
    release = _genuine_release(chain, identity, registry, as_of)
    report.steps.append(
        f"The contract at {registry} has the code of DatasetRegistry as released with tdr {release}: "
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
        f"The dataset's history, {count(steps, 'event')}, folds to the head in the contract's storage, {stored}: "
        "no version, transfer or withdrawal was left out, changed or put in."
    )
    version = _version(dataset, number)
    report.steps.append(
        f"Version {version.number} of {dataset.latest.number} has the content root {version.content_root}. "
        f"{summary_text(Summary.of(dataset, version.number))}"
    )
    return ChainRecord(dataset, version, as_of, node)


def name_not_proven(record: ChainRecord, report: Report) -> None:
    """Adds to a report what reading a chain in this way does not prove."""
    report.not_proven.append(
        f"That the chain is as {record.node} says: its answers about state and events were taken on its word. "
        "Ask a node that you trust: --rpc URL."
    )
    report.not_proven.append(
        "That this chain and this contract are those which others mean by the registry; compare the chain's id and the "
        "address above with what they publish."
    )
    report.not_proven.append(f"Anything after block {record.as_of.number}, and that this block is final.")
    report.standing = standing_of(record.summary, is_complete=True)
    withdrawal = record.dataset.withdrawal
    name_what_followed(
        report,
        record.version.number,
        record.dataset.latest.number,
        None if withdrawal is None else (withdrawal.at.timestamp, withdrawal.reason),
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
