"""Verifying an evidence bundle: offline, step by step, against trust that the auditor chooses.

The steps, each resting on those before it:

 1. form         The bundle is in its one form, and holds nothing that no step checks.
 2. blocks       Every header's hash is recomputed; within a run each is the parent of the next.
 3. trust        The last block of each run is vouched for by whom the auditor trusts; the contracts are those that the
                 auditor knows, where their addresses are given.
 4. receipts     Each receipt stands in its block.
 5. history      The events follow one another from the registration on; none is missing in between.
 6. contracts    The accounts have the code of a release of this project, made for this chain and these addresses.
 7. head         The dataset's head in the state is what the events add up to: none is missing at the end.
 8. access       So is what the state has of each grantee's access.
 9. record       The record that the bundle states is the one that the events add up to.
10. signatures   Each signed message says what its event says, and the right one signed it.
11. content      The manifest, the files and the metadata have the hashes that the version has.

Steps 6 to 8 need the state at the bundle's block. Where no node had it, the bundle says so, and what they would have
shown is listed as not proven.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from registry.base.canonical import canonical_json, metadata_hash
from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.eip712 import Domain
from registry.ethereum.header import Header
from registry.ethereum.receipts import decode_receipt, receipt_key
from registry.ethereum.state import Pair, account_at, head_slot, pair_slot, slot_at
from registry.ethereum.trie import Nodes
from registry.evidence.bundle import FORMAT, Bundle, Checkpoints, Contracts
from registry.evidence.code import require_genuine
from registry.evidence.content import require_ascending, require_in
from registry.evidence.record import History, Placed, Record, history_of
from registry.evidence.signatures import MESSAGES, require_signed
from registry.evidence.summary import Summary
from registry.evidence.summary import time_text as _time
from registry.evidence.trust import Claim, Trust
from registry.manifest import Entry, Manifest
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, VerifierKey
from registry.rooms.access.records import Access

TITLES = (
    *("form", "blocks", "trust", "receipts", "history", "contracts", "head", "access", "record", "signatures"),
    "content",
)
"""The steps' titles, the first first."""

TRUTH = "That the content is true, lawful, or fit for any purpose."
WHICH_FILES = "Which files the content root stands for."
ABSENT = "Not carried out: the bundle holds nothing of it."
"""What a report says of a step of which the bundle holds nothing."""


class StepFailed(VerificationFailed):
    """A step of the verification failed; those after it were not carried out.

    Args:
        number: The step's number, from 1.
        error: What was wrong.
    """

    def __init__(self, number: int, error: InvalidInput | VerificationFailed) -> None:
        super().__init__(f"Step {number} ({TITLES[number - 1]}): {error.message}", hint=error.hint)
        self.number = number
        self.title = TITLES[number - 1]


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was carried out and succeeded, or of which the bundle holds nothing.

    Args:
        number: Its number, from 1; the same in every report.
        title: One word.
        proves: What is proven by it, as a sentence; ABSENT where it was not carried out.
    """

    number: int
    title: str
    proves: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle proves.

    Args:
        chain_id: The chain's id.
        dataset_id: The dataset.
        record: The dataset as of a block, its history, and the access of some grantees.
        is_complete: Whether it is proven that no later event up to the block was left out.
        manifest: The manifest of the version shown, if it is in the bundle.
        files: The single files shown.
        metadata: The metadata of the version shown, if it is in the bundle.
        version: The version that manifest, files and metadata are of; None if there are none.
        summary: The version shown, or else the latest, at a glance.
        access: All that is known of each grantee shown; None of whom there is no event.
        steps: All steps; those of which the bundle holds nothing say so.
        not_proven: What is not proven, as sentences.
    """

    chain_id: int
    dataset_id: DatasetId
    record: Record
    is_complete: bool
    manifest: Manifest | None
    files: tuple[Entry, ...]
    metadata: dict[str, Any] | None
    version: int | None
    summary: Summary
    access: Mapping[Address, Access | None]
    steps: tuple[Step, ...]
    not_proven: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Content:
    manifest: Manifest | None = None
    files: tuple[Entry, ...] = ()
    metadata: dict[str, Any] | None = None
    version: int | None = None


def verify(source: bytes, trust: Trust, *, registry: Address | None = None, grants: Address | None = None) -> Verified:
    """Verifies a bundle; the steps are listed above.

    Warning: whoever deploys a contract chooses what its storage holds at first, whatever its code is. So an address
    that the auditor does not know shows what its own deployer says, signed messages apart; it is named as not proven.

    Args:
        source: The bundle, byte for byte as it was issued.
        trust: Whose word counts for which blocks the chain has.
        registry: The address of DatasetRegistry as the auditor knows it, or None.
        grants: The address of AccessGrants as the auditor knows it, or None.

    Raises:
        StepFailed: A step failed; its message names the step.

    Returns:
        What is proven.
    """
    sentences = dict.fromkeys(range(1, len(TITLES) + 1), ABSENT)

    def proven(sentence: str, number: int) -> None:
        sentences[number] = sentence

    with _step(1):
        bundle = Bundle.parse(source)
        proven(f"The bundle is in the one form of {FORMAT}.", 1)
    with _step(2):
        runs = _runs(bundle)
        headers = {header.number: header for run in runs for header in run}
        last = runs[-1][-1]
        proven(f"Headers whose hashes are those by which blocks name their parents: {len(headers)}.", 2)
    with _step(3):
        blocks = {run[-1].number: run[-1].hash for run in runs}
        word = _vouched(bundle, trust, blocks)
        _require_known(bundle.contracts, registry, grants)
        proven(f"Block {last.number} ({last.hash}) and those before it are the chain's, by {word}.", 3)
    with _step(4):
        logs = _logs(bundle, headers)
        proven(f"Receipts proven to be in these blocks: {sum(len(part.transactions) for part in bundle.receipts)}.", 4)
    with _step(5):
        history = _history(bundle, logs)
        proven(f"Events from the registration on, each following the one before: {len(history.shown)}.", 5)
    if bundle.state is not None:
        with _step(6):
            nodes = Nodes(bundle.state)
            heads, release = _storage(bundle, nodes, last, "DatasetRegistry")
            proven(f"{bundle.contracts.dataset_registry} has the code of DatasetRegistry in release {release}.", 6)
        with _step(7):
            _require_head(nodes, heads, history)
            proven(f"No version, transfer or withdrawal up to block {last.number} was left out.", 7)
        with _step(8):
            if history.access:
                pairs, _ = _storage(bundle, nodes, last, "AccessGrants")
                _require_access(nodes, pairs, history)
                proven(f"No grant or revocation was left out of the grantees shown: {len(history.access)}.", 8)
            nodes.require_all_read()
    with _step(9):
        if _bytes(history.record(last)) != _bytes(bundle.record):
            raise VerificationFailed("The record is not what the events add up to.")
        proven(f"The record is the dataset's as of {_time(last.timestamp)}.", 9)
    if bundle.messages:
        with _step(10):
            _require_signatures(bundle, history)
            proven(f"Events with their signer's own signature: {len(bundle.messages)} of {len(history.shown)}.", 10)
    content = _Content()
    if bundle.content is not None:
        with _step(11):
            content = _content(bundle, history)
            proven(f"Content and metadata shown are those of version {content.version}.", 11)
    return Verified(
        chain_id=bundle.chain_id,
        dataset_id=bundle.dataset_id,
        record=bundle.record,
        is_complete=bundle.state is not None,
        manifest=content.manifest,
        files=content.files,
        metadata=content.metadata,
        version=content.version,
        summary=Summary.of(history.dataset, content.version or history.dataset.latest.number),
        access=history.access,
        steps=tuple(Step(number, TITLES[number - 1], sentence) for number, sentence in sentences.items()),
        not_proven=tuple(_not_proven(bundle, last, {registry, grants}, word)),
    )


def blocks_to_vouch_for(source: bytes) -> dict[int, Bytes32]:
    """The blocks, by height, that a bundle needs vouched for; to ask nodes for their hashes before verifying.

    Raises:
        StepFailed: The bundle is malformed.
    """
    with _step(1):
        bundle = Bundle.parse(source)
    with _step(2):
        return {run[-1].number: run[-1].hash for run in _runs(bundle)}


@contextmanager
def _step(number: int) -> Iterator[None]:
    try:
        yield
    except (InvalidInput, VerificationFailed) as error:
        raise StepFailed(number, error) from error


def _runs(bundle: Bundle) -> list[list[Header]]:
    runs = [[Header.decode(raw) for raw in run] for run in bundle.headers]
    for run in runs:
        for parent, child in pairwise(run):
            if child.parent_hash != parent.hash or child.number != parent.number + 1:
                raise VerificationFailed(f"The header of block {child.number} does not follow the one before it.")
    for earlier, later in pairwise(runs):
        if later[0].number <= earlier[-1].number + 1:
            raise VerificationFailed(f"The run from block {later[0].number} is not apart from the run before it.")
    needed = {part.block for part in bundle.receipts} | {runs[-1][-1].number}
    for run in runs:
        if run[0].number not in needed:
            raise VerificationFailed(f"The header of block {run[0].number} is there for nothing.")
    return runs


def _vouched(bundle: Bundle, trust: Trust, blocks: dict[int, Bytes32]) -> str:
    notes = [] if bundle.checkpoints is None else _notes(bundle.checkpoints, bundle.chain_id, blocks)
    word = trust.vouch(Claim(bundle.chain_id, blocks, notes))
    if bundle.state is None and not trust.names_the_chain:
        raise VerificationFailed(
            f"Nothing shows that this is chain {bundle.chain_id}: the bundle has no state.",
            hint="Give the chain's id as well.",
        )
    return word


def _require_known(contracts: Contracts, registry: Address | None, grants: Address | None) -> None:
    """Requires that the contracts have the addresses that the auditor knows."""
    named = (contracts.dataset_registry, contracts.access_grants)
    for found, known in zip(named, (registry, grants), strict=True):
        if None not in (found, known) and found != known:
            raise VerificationFailed(f"The bundle is of the contract {found}, not of {known}.")


def _notes(checkpoints: Checkpoints, chain_id: int, blocks: dict[int, Bytes32]) -> list[Note]:
    """The checkpoints' notes, each of whose signatures is valid. Whether to trust the signers is not decided here."""
    keys = {(key.name, key.key_id): key for key in map(VerifierKey.parse, checkpoints.keys)}
    if len(keys) != len(checkpoints.keys):
        raise InvalidInput("A key of the checkpoints is there twice.")
    notes = [Note.parse(source) for source in checkpoints.notes]
    stated = [Checkpoint.of(note) for note in notes]
    if any(later.height <= earlier.height for earlier, later in pairwise(stated)):
        raise InvalidInput("The checkpoints are not in the order of their heights.")
    for checkpoint in stated:
        if checkpoint.chain_id != chain_id or blocks.get(checkpoint.height) != checkpoint.block_hash:
            raise VerificationFailed(f"The checkpoint at height {checkpoint.height} is not for a block of this bundle.")
    signers = [(line.name, line.key_id) for note in notes for line in note.signatures]
    if set(signers) != set(keys) or any(len(note.signatures) != len(_signers(note)) for note in notes):
        raise VerificationFailed("The keys of the checkpoints are not exactly those of their signatures.")
    for note in notes:
        for signer in _signers(note):
            note.verify(keys[signer])
    return notes


def _signers(note: Note) -> set[tuple[str, bytes]]:
    return {(line.name, line.key_id) for line in note.signatures}


def _logs(bundle: Bundle, headers: dict[int, Header]) -> list[Placed]:
    _require_ascending([part.block for part in bundle.receipts], "The blocks of the receipts")
    placed: list[Placed] = []
    for part in bundle.receipts:
        header = headers.get(part.block)
        if header is None:
            raise VerificationFailed(f"There is no header of block {part.block}, whose receipts are shown.")
        _require_ascending(part.transactions, f"The transactions of block {part.block}")
        nodes = Nodes(part.nodes)
        for transaction in part.transactions:
            raw = nodes.value(header.receipts_root, receipt_key(transaction))
            if raw is None:
                raise VerificationFailed(f"Block {part.block} has no transaction {transaction}.")
            logs = decode_receipt(raw).logs
            placed += [Placed(log, header, transaction, index) for index, log in enumerate(logs)]
        nodes.require_all_read()
    return placed


def _history(bundle: Bundle, logs: list[Placed]) -> History:
    contracts = bundle.contracts
    grantees = [access.grantee for access in bundle.record.access]
    _require_ascending(grantees, "The grantees")
    if (contracts.access_grants is None) == bool(grantees):
        raise InvalidInput("AccessGrants is named exactly where the bundle speaks of somebody's access.")
    history = history_of(logs, bundle.dataset_id, contracts.dataset_registry, contracts.access_grants, grantees)
    used = {(shown.placed.block.number, shown.placed.transaction) for shown in history.shown}
    given = {(part.block, transaction) for part in bundle.receipts for transaction in part.transactions}
    if idle := given - used:
        block, transaction = min(idle)
        raise VerificationFailed(f"The receipt of transaction {transaction} of block {block} is there for nothing.")
    if bundle.state is None and None in history.access.values():
        raise VerificationFailed("A grantee is named of whom neither events nor the state are shown.")
    return history


def _storage(bundle: Bundle, nodes: Nodes, last: Header, contract: str) -> tuple[Bytes32, str]:
    """The storage root of a contract whose code is genuine, and the release that it came with."""
    contracts = bundle.contracts
    registry = contracts.dataset_registry
    address: Address = registry if contract == "DatasetRegistry" else contracts.access_grants or registry
    account = account_at(nodes, last.state_root, address)
    release = require_genuine(contract, account.code_hash, bundle.chain_id, address, registry)
    return account.storage_root, release


def _require_head(nodes: Nodes, storage_root: Bytes32, history: History) -> None:
    head = slot_at(nodes, storage_root, head_slot(history.dataset.dataset_id))
    if head != history.dataset.head:
        raise VerificationFailed(
            f"The events add up to the head {history.dataset.head}, but the contract has {head}.",
            hint="An event was left out: ask for a newer bundle, or for one from another source.",
        )


def _require_access(nodes: Nodes, storage_root: Bytes32, history: History) -> None:
    for grantee in history.access:
        kept = Pair.unpack(slot_at(nodes, storage_root, pair_slot(history.dataset.dataset_id, grantee)))
        if kept != history.pair(grantee):
            raise VerificationFailed(
                f"The events of {grantee} add up to {history.pair(grantee)}, but the contract has {kept}.",
                hint="An event was left out: ask for a newer bundle, or for one from another source.",
            )


def _require_signatures(bundle: Bundle, history: History) -> None:
    _require_ascending([signed.event for signed in bundle.messages], "The signed messages")
    for signed in bundle.messages:
        if signed.event >= len(history.shown):
            raise InvalidInput(f"There is no event {signed.event}.")
        shown = history.shown[signed.event]
        kind = MESSAGES[type(shown.event)]
        message = kind.parse(signed.message)
        domain = Domain(kind.CONTRACT, bundle.chain_id, shown.placed.log.address)
        require_signed(shown, message, signed.signature, domain)
        if canonical_json(message.to_json()) != canonical_json(signed.message):
            raise InvalidInput(f"The message of event {signed.event} is not in its one form.")


def _content(bundle: Bundle, history: History) -> _Content:
    part = bundle.content
    if part is None or (part.manifest is None and not part.files and part.metadata is None):
        raise InvalidInput("The bundle has a content that is empty.")
    if not 1 <= part.version <= len(history.dataset.versions):
        raise InvalidInput(f"There is no version {part.version}.")
    version = history.dataset.versions[part.version - 1]
    manifest = None
    if part.manifest is not None:
        manifest = Manifest.parse(part.manifest)
        if manifest.root != version.content_root:
            raise VerificationFailed(f"The manifest has the root {manifest.root}, the version {version.content_root}.")
    files = tuple(require_in(file.entry, file.path, version.content_root) for file in part.files)
    require_ascending([file.path for file in files])
    if part.metadata is not None and metadata_hash(part.metadata) != version.metadata_hash:
        raise VerificationFailed(f"The metadata does not have the hash {version.metadata_hash} of the version.")
    return _Content(manifest, files, part.metadata, part.version)


def _not_proven(bundle: Bundle, last: Header, known: Collection[Address | None], word: str) -> Iterator[str]:
    yield TRUTH
    yield f"That the chain has these blocks, by any other word than this: {word}."
    yield "Who the persons behind the addresses are."
    yield f"Anything after block {last.number} ({_time(last.timestamp)}). Times are those that the blocks state."
    if bundle.state is None:
        yield "That no later version, transfer, withdrawal, grant or revocation was left out: the bundle has no state."
        yield f"That {bundle.contracts.dataset_registry} has the code of DatasetRegistry: the bundle has no state."
    for address in (bundle.contracts.dataset_registry, bundle.contracts.access_grants):
        if address is not None and address not in known:
            yield f"That {address} is the contract you mean, and not one deployed to deceive: compare its address."
    named = f"other than the {len(bundle.record.access)} named " if bundle.record.access else ""
    yield f"Who {named}has access."
    yield from _followed(bundle)
    if bundle.content is None or (bundle.content.manifest is None and not bundle.content.files):
        yield WHICH_FILES


def _followed(bundle: Bundle) -> Iterator[str]:
    """What came after the version that is shown."""
    record = bundle.record
    if bundle.content is not None and bundle.content.version < record.dataset.version:
        shown, latest = bundle.content.version, record.dataset.version
        yield f"That version {shown} still holds: version {latest} followed it."
    for event in record.events:
        if event.event == "Withdrawn":
            time, reason = _time(event.time), canonical_json(event.values["reason"]).decode()
            yield f"That the dataset may still be relied on: its owner withdrew it, {time}, saying {reason}."


def _require_ascending(values: Sequence[Any], what: str) -> None:
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise InvalidInput(f"{what} are not in ascending order, or one is there twice.")


def _bytes(record: Record) -> bytes:
    return canonical_json(record.model_dump(mode="json", by_alias=True))
