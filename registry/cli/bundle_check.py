"""Files compared with an evidence bundle: offline, against trust that the auditor chose."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32
from registry.certificate import attachment
from registry.cli import comparison, grantees
from registry.cli.comparison import Report, count, standing_of, summary_json, summary_text
from registry.cli.content import hashed, hashed_for, is_file
from registry.cli.lazy import lazy
from registry.evidence.trust import AgreeingNodes, NodeAnswer, PinnedBlocks, SignedCheckpoints, Trust
from registry.evidence.verify import TRUTH, WHICH_FILES, StepFailed, Verified, blocks_to_vouch_for, verify
from registry.manifest import STANDARD, Entry, Manifest, Selection

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
    paths: Sequence[Path] | None,
    bundle: bytes,
    chosen: Chosen,
    given: Manifest | None,
    report: Report,
    selection: Selection = STANDARD,
) -> None:
    """Verify a bundle, then compare what is on disk with what it shows.

    Args:
        paths: The files and folders; none: no content is compared.
        bundle: The bundle.
        chosen: Whose word counts.
        given: The manifest, where it is not in the bundle.
        report: Takes the steps, the differences, and what is not proven; or why the bundle is refused.
        selection: Which files on disk belong to the dataset.
    """
    verified = verify_bundle(bundle, chosen, report)
    if verified is None:
        return
    summary, block = verified.summary, verified.record.block
    report.steps.append(
        f"So version {summary.version} of {summary.latest_version} of the dataset {verified.dataset_id} has the "
        f"content root {summary.content_root}. {summary_text(summary)}"
    )
    report.record = {
        "datasetId": str(verified.dataset_id),
        **summary_json(summary),
        "asOfBlock": block.number,
        "asOfBlockHash": str(block.hash),
    }
    report.standing = standing_of(summary, is_complete=verified.is_complete)
    now = int(time.time())
    report.access = grantees.to_json(verified, now)
    report.access_lines = list(grantees.lines(verified, now))
    report.content_root = summary.content_root
    manifest = verified.manifest or given
    if not paths:
        report.not_proven.insert(0, comparison.UNCOMPARED)
        report.not_proven += [line for line in verified.not_proven if line == WHICH_FILES]
    elif manifest is None and verified.files:
        _check_files(paths, verified.files, report)
    else:
        found = hashed_for(paths, summary.content_root, manifest, selection, report)
        comparison.check_content(found, summary.content_root, manifest, report, is_file=is_file(paths))


def verify_bundle(bundle: bytes, chosen: Chosen, report: Report) -> Verified | None:
    """Verify a bundle.

    Args:
        bundle: The bundle.
        chosen: Whose word counts.
        report: Takes the steps and what is not proven; or why the bundle is refused.

    Returns:
        What it proves, or None if it is refused.
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
        return None
    report.steps += [f"{step.title}: {step.proves}" for step in verified.steps]
    told = (TRUTH, WHICH_FILES)  # The comparison of the files says both itself.
    report.not_proven += [line for line in verified.not_proven if line not in told]
    return verified


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


def _check_files(paths: Sequence[Path], shown: Sequence[Entry], report: Report) -> None:
    """Compares the files that a bundle shows; of others it knows nothing."""
    found = hashed(*paths).entries
    is_one = is_file(paths)
    if not is_one:
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
    if others and not is_one:
        named = ", ".join(json.dumps(one, ensure_ascii=False) for one in others[:MOST_NAMED])
        report.not_proven.append(
            f"Anything of {len(others)} files here that the bundle does not show and that were not compared: "
            f"{named}{', ...' if len(others) > MOST_NAMED else ''}."
        )
    report.not_proven.append(
        "Anything of files that the bundle does not show, a second one with a path that it shows included: only a "
        "whole manifest tells that there is none."
    )


def _ask(url: str, heights: Sequence[int] | dict[int, Bytes32]) -> NodeAnswer:
    chain = rpc.RpcChain([url])
    try:
        blocks = {height: history.block_at(chain, hex(height)).hash for height in heights}
        return NodeAnswer(chain.name, chain.identity.chain_id, blocks)
    finally:
        chain.close()
