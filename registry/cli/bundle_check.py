"""Files compared with an evidence bundle: offline, against trust that the auditor chose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from registry.certificate import attachment
from registry.cli import comparison
from registry.cli.comparison import Report, count
from registry.cli.content import hashed, hashed_for
from registry.cli.lazy import lazy
from registry.cli.times import show_time
from registry.errors import InvalidInput
from registry.evidence.record import EventRecord, Record
from registry.evidence.trust import AgreeingNodes, NodeAnswer, PinnedBlocks, SignedCheckpoints, Trust
from registry.evidence.verify import TRUTH, WHICH_FILES, StepFailed, blocks_to_vouch_for, verify
from registry.manifest import STANDARD, Entry, Manifest, Selection
from registry.primitives import Address, Bytes32

if TYPE_CHECKING:
    from registry.chain import history, rpc
else:
    history, rpc = lazy("registry.chain.history"), lazy("registry.chain.rpc")


MOST_NAMED = 5
PAGE = "What the certificate's page says: only the evidence attached to it was verified, and speaks here."


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whose word the auditor takes, as given on the command line: exactly one kind of it.

    Args:
        hashes: Block hashes.
        nodes: URLs of nodes, all of which must agree. Only they use the network.
        policy: A file with the keys of a node and of witnesses, or None.
        chain_id: The chain's id, where it is given with block hashes.
        registry: The address of DatasetRegistry, if the auditor knows it.
        grants: The address of AccessGrants, if the auditor knows it.
    """

    hashes: Sequence[str]
    nodes: Sequence[str]
    policy: Path | None
    chain_id: int | None
    registry: str | None = None
    grants: str | None = None

    def trust(self, bundle: bytes) -> Trust:
        """The policy for a bundle.

        Raises:
            InvalidInput: Not exactly one kind is given, or it is malformed.
            ChainUnavailable: A node gave no usable answer.
        """
        if [bool(self.hashes), bool(self.nodes), self.policy is not None].count(True) != 1:
            raise InvalidInput(
                "Say by whose word the bundle's block is the chain's.",
                hint="Give one of --block-hash HASH, --rpc URL, --trust FILE.",
            )
        if self.policy is not None:
            return SignedCheckpoints.parse(read_bytes(self.policy))
        if self.hashes:
            return PinnedBlocks({Bytes32.parse(text) for text in self.hashes}, self.chain_id)
        heights = blocks_to_vouch_for(bundle)
        return AgreeingNodes([_ask(url, heights) for url in self.nodes])


def check_bundle(
    path: Path,
    bundle: bytes,
    chosen: Chosen,
    given: Manifest | None,
    report: Report,
    selection: Selection = STANDARD,
) -> None:
    """Verifies a bundle, then compares what is on disk with what it shows.

    Args:
        path: The file or folder.
        bundle: The bundle.
        chosen: Whose word counts.
        given: The manifest, where it is not in the bundle.
        report: Takes the steps, the differences, and what is not proven; or why the bundle is refused.
        selection: Which files on disk belong to the dataset.
    """
    try:
        verified = verify(
            bundle,
            chosen.trust(bundle),
            registry=None if chosen.registry is None else Address.parse(chosen.registry),
            grants=None if chosen.grants is None else Address.parse(chosen.grants),
        )
    except StepFailed as failed:
        report.refused = str(failed)
        return
    record = verified.record
    number = verified.version or record.dataset.version
    root = record.content_root(number)
    report.steps += [f"{step.title}: {step.proves}" for step in verified.steps]
    made = _made(record, number)
    report.steps.append(
        f"So version {number} of {record.dataset.version} of the dataset {verified.dataset_id} has the content root "
        f"{root}. It was registered in block {made.block}, {show_time(made.time)}. The owner is {record.dataset.owner}."
    )
    told = (TRUTH, WHICH_FILES)  # The comparison of the files says both itself.
    report.not_proven += [line for line in verified.not_proven if line not in told]
    report.record = {
        "datasetId": str(verified.dataset_id),
        "version": number,
        "latestVersion": record.dataset.version,
        "owner": str(record.dataset.owner),
        "registeredAt": show_time(made.time),
        "withdrawn": record.dataset.withdrawn,
        "asOfBlock": record.block.number,
        "asOfBlockHash": str(record.block.hash),
    }
    manifest = verified.manifest or given
    if manifest is None and verified.files:
        report.content_root = root
        _check_files(path, verified.files, report)
    else:
        found = hashed_for(path, root, manifest, selection, report)
        comparison.check_content(found, root, manifest, report, is_file=not path.is_dir())


def read_bundle(file: Path, report: Report) -> bytes:
    """The bundle in a file: the file itself, or what is attached to a certificate.

    Args:
        file: The file.
        report: Takes what is not proven of a certificate.

    Raises:
        InvalidInput: It cannot be read, or is a PDF without a bundle.
    """
    content = read_bytes(file)
    if not attachment.is_pdf(content):
        return content
    report.not_proven.append(PAGE)
    return attachment.read(content)


def read_bytes(file: Path) -> bytes:
    """A file's content, as far as any bundle or certificate may be long.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(attachment.MAX_PDF_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be read: {error.strerror}.") from error


def _check_files(path: Path, shown: Sequence[Entry], report: Report) -> None:
    """Compares the files that a bundle shows; of others it knows nothing."""
    found = hashed(path).entries
    if path.is_dir():
        by_path = {entry.path: entry for entry in found}
        pairs = [(entry, by_path.get(entry.path)) for entry in shown]
    else:
        pairs = [(comparison.the_one_named(shown, found[0].path, "The bundle shows"), found[0])]
    for entry, other in pairs:
        if other is None or other.sha256 != entry.sha256:
            digest = None if other is None else other.sha256.hex()
            report.differences.append(comparison.Difference(entry.path, entry.sha256.hex(), digest))
    report.steps.append(f"{count(len(pairs), 'file')} hashed here and compared with what the bundle shows.")
    others = [entry.path for entry in found if entry.path not in {entry.path for entry in shown}]
    if path.is_dir() and others:
        named = ", ".join(json.dumps(one, ensure_ascii=False) for one in others[:MOST_NAMED])
        report.not_proven.append(
            f"Anything of {len(others)} files here that the bundle does not show and that were not compared: "
            f"{named}{', ...' if len(others) > MOST_NAMED else ''}."
        )
    report.not_proven.append(
        "Anything of files that the bundle does not show, a second one with a path that it shows included: only a "
        "whole manifest tells that there is none."
    )


def _made(record: Record, number: int) -> EventRecord:
    """The event that made a version."""
    return [event for event in record.events if event.event in ("Registered", "Revised")][number - 1]


def _ask(url: str, heights: Sequence[int] | dict[int, Bytes32]) -> NodeAnswer:
    chain = rpc.RpcChain([url])
    try:
        blocks = {height: history.block_at(chain, hex(height)).hash for height in heights}
        return NodeAnswer(chain.name, chain.identity.chain_id, blocks)
    finally:
        chain.close()
