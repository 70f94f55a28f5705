"""The checks of a verification, one after another; `registry.evidence.steps` lists the steps that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from registry.base.canonical import canonical_json, metadata_hash
from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32
from registry.base.subject import Subject
from registry.ethereum.header import Header
from registry.ethereum.receipts import decode_receipt, receipt_key
from registry.ethereum.state import account_at, slot_at
from registry.ethereum.trie import Nodes
from registry.evidence.bundle import Bundle, Checkpoints, form_of
from registry.evidence.code import require_genuine
from registry.evidence.content import require_ascending as require_paths_ascending
from registry.evidence.content import require_in
from registry.evidence.record import (
    BlockRecord,
    History,
    LocatedLog,
    Proof,
    Record,
    Scope,
    event_record,
    history_of,
    main_room,
    proof_of,
)
from registry.evidence.signatures import message_behind, require_signed
from registry.evidence.trust import Authority, Claim, Trust
from registry.manifest import Entry, Manifest
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, VerifierKey
from registry.rooms.proof_adapter import VersionHashes
from registry.rooms.protocol import Protocols, RoomProtocol


@dataclass(frozen=True, slots=True)
class ShownContent:
    """The content of a version that a bundle shows.

    Args:
        manifest: The version's manifest, or None.
        files: The single files shown.
        metadata: The version's metadata, or None.
        version: The version; None if the bundle does not show content.
    """

    manifest: Manifest | None = None
    files: tuple[Entry, ...] = ()
    metadata: dict[str, Any] | None = None
    version: int | None = None


def runs_of(bundle: Bundle) -> list[list[Header]]:
    """Return the runs of block headers, each header the parent of the next."""
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
            raise VerificationFailed(f"The header of block {run[0].number} is not needed.")
    return runs


def vouched(bundle: Bundle, trust: Trust, blocks: dict[int, Bytes32]) -> Authority:
    """Return the authority that vouches for the last block of each run."""
    notes = [] if bundle.checkpoints is None else _notes(bundle.checkpoints, bundle.chain_id, blocks)
    authority = trust.vouch(Claim(bundle.chain_id, blocks, notes))
    if bundle.state is None and not trust.names_the_chain:
        raise VerificationFailed(
            f"Nothing shows that this is chain {bundle.chain_id}: the bundle has no state.",
            hint="Give the chain's id as well.",
        )
    return authority


def require_pinned(bundle: Bundle, pins: Mapping[str, Address]) -> None:
    """Require that the contracts have the addresses that the auditor knows."""
    for name, address in bundle.contracts.addresses().items():
        if pins.get(name, address) != address:
            raise VerificationFailed(f"The bundle is of the contract {address}, not of {pins[name]}.")


def _notes(checkpoints: Checkpoints, chain_id: int, blocks: dict[int, Bytes32]) -> list[Note]:
    """Return the checkpoints' notes after verifying all their signatures. Trust in the keys is decided later."""
    keys = {(key.name, key.key_id): key for key in map(VerifierKey.parse, checkpoints.keys)}
    if len(keys) != len(checkpoints.keys):
        raise InvalidInput("The checkpoints have a key twice.")
    notes = [Note.parse(source) for source in checkpoints.notes]
    stated = [Checkpoint.of(note) for note in notes]
    if any(later.height <= earlier.height for earlier, later in pairwise(stated)):
        raise InvalidInput("The checkpoints are not in ascending order of their heights.")
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


def logs_in(bundle: Bundle, headers: dict[int, Header]) -> list[LocatedLog]:
    """Return the logs in the receipts, each receipt proven to be in its block."""
    require_ascending([part.block for part in bundle.receipts], "The blocks of the receipts")
    located: list[LocatedLog] = []
    for part in bundle.receipts:
        header = headers.get(part.block)
        if header is None:
            raise VerificationFailed(f"There is no header of block {part.block}, whose receipts are shown.")
        require_ascending(part.transactions, f"The transactions of block {part.block}")
        nodes = Nodes(part.nodes)
        for transaction in part.transactions:
            raw = nodes.value(header.receipts_root, receipt_key(transaction))
            if raw is None:
                raise VerificationFailed(f"Block {part.block} has no transaction {transaction}.")
            logs = decode_receipt(raw).logs
            located += [LocatedLog(log, header, transaction, index) for index, log in enumerate(logs)]
        nodes.require_all_read()
    return located


def history_in(bundle: Bundle, logs: list[LocatedLog], protocols: Protocols) -> History:
    """Return the events among the logs, and the states that they fold to."""
    addresses = bundle.contracts.addresses()
    history = history_of(logs, _scopes(bundle, addresses, protocols), addresses, protocols)
    used = {(shown.located.block.number, shown.located.transaction) for shown in history.events}
    given = {(part.block, transaction) for part in bundle.receipts for transaction in part.transactions}
    if idle := given - used:
        block, transaction = min(idle)
        raise VerificationFailed(f"The receipt of transaction {transaction} of block {block} is not needed.")
    if bundle.state is None and any(proof.state is None for proof in history.proofs):
        raise VerificationFailed("An account is named without events or state.")
    return history


def _scopes(bundle: Bundle, addresses: Mapping[str, Address], protocols: Protocols) -> list[Scope]:
    """Return the scopes in the record of a bundle: its subject, then the other accounts."""
    main = main_room(protocols)
    subject = Subject(proof_of(main).kind, bundle.dataset_id)
    scopes = [Scope(main.name, subject)]
    for room in protocols.proven:
        adapter = proof_of(room)
        if adapter.part.account is None:
            continue
        accounts = [adapter.part.account(part) for part in bundle.record.part(adapter.part.field)]
        require_ascending(accounts, f"The accounts of {adapter.part.field}")
        if (adapter.contract not in addresses) == bool(accounts):
            raise InvalidInput(f"{adapter.contract} must be named if and only if the record has {adapter.part.field}.")
        scopes += [Scope(room.name, subject, account) for account in accounts]
    return scopes


def storage_of(bundle: Bundle, nodes: Nodes, last: Header, contract: str, protocols: Protocols) -> tuple[Bytes32, str]:
    """Return the storage root of a contract after checking its code, and the release of that code."""
    addresses = bundle.contracts.addresses()
    account = account_at(nodes, last.state_root, addresses[contract])
    release = require_genuine(protocols.contracts[contract], account.code_hash, bundle.chain_id, addresses)
    return account.storage_root, release


def require_slots(nodes: Nodes, storage_root: Bytes32, proof: Proof, room: RoomProtocol) -> None:
    """Require that the slots of a state have the values that its events fold to."""
    for slot, expected in proof.slots.items():
        found = slot_at(nodes, storage_root, slot)
        if found != expected:
            raise VerificationFailed(
                proof_of(room).difference(proof.scope.account, expected, found),
                hint="An event was left out: ask for a newer bundle, or for one from another source.",
            )


def require_accounts(bundle: Bundle, nodes: Nodes, last: Header, history: History, protocols: Protocols) -> int:
    """Require that the slots of each account have the values that its events fold to.

    Returns:
        The number of accounts.
    """
    count = 0
    for room in protocols.proven:
        proofs = history.of_room(room.name)
        if proof_of(room).part.account is None or not proofs:
            continue
        storage_root, _ = storage_of(bundle, nodes, last, proof_of(room).contract, protocols)
        for proof in proofs:
            require_slots(nodes, storage_root, proof, room)
        count += len(proofs)
    return count


def record_of(history: History, block: Header, protocols: Protocols) -> Record:
    """Return the record as of a block that is not earlier than the last event."""
    members: dict[str, Any] = {
        "block": BlockRecord(hash=block.hash, number=block.number, time=block.timestamp),
        "events": tuple(event_record(shown) for shown in history.events),
    }
    for room in protocols.proven:
        part = proof_of(room).part
        made = tuple(part.make(proof.scope.account, proof.state) for proof in history.of_room(room.name))
        members[part.field] = made[0] if part.account is None else made
    model: type[Record] = form_of(protocols).model_fields["record"].annotation  # type: ignore[assignment]
    return model(**members)


def require_record(bundle: Bundle, history: History, last: Header, protocols: Protocols) -> None:
    """Require that the record is the one that the events fold to."""
    if _bytes(record_of(history, last, protocols)) != _bytes(bundle.record):
        raise VerificationFailed("The record differs from the state that the events fold to.")


def require_signatures(bundle: Bundle, history: History, protocols: Protocols) -> None:
    """Require that each signed message led to its event and was signed by the authorised account."""
    require_ascending([signed.event for signed in bundle.messages], "The signed messages")
    for signed in bundle.messages:
        if signed.event >= len(history.events):
            raise InvalidInput(f"There is no event {signed.event}.")
        shown = history.events[signed.event]
        message = message_behind(shown, signed.message, protocols)
        require_signed(shown, message, signed.signature, bundle.chain_id, protocols)
        if canonical_json(message.to_json()) != canonical_json(signed.message):
            raise InvalidInput(f"The message of event {signed.event} is not in canonical form.")


def content_in(bundle: Bundle, versions: Sequence[VersionHashes]) -> ShownContent:
    """Return the content shown, which has the hashes of its version."""
    part = bundle.content
    if part is None or (part.manifest is None and not part.files and part.metadata is None):
        raise InvalidInput("The bundle's content is empty.")
    if not 1 <= part.version <= len(versions):
        raise InvalidInput(f"There is no version {part.version}.")
    version = versions[part.version - 1]
    manifest = None
    if part.manifest is not None:
        manifest = Manifest.parse(part.manifest)
        if manifest.root != version.content_root:
            raise VerificationFailed(f"The manifest has the root {manifest.root}, the version {version.content_root}.")
    files = tuple(require_in(file.entry, file.path, version.content_root) for file in part.files)
    require_paths_ascending([file.path for file in files])
    if part.metadata is not None and metadata_hash(part.metadata) != version.metadata_hash:
        raise VerificationFailed(f"The metadata does not have the hash {version.metadata_hash} of the version.")
    return ShownContent(manifest, files, part.metadata, part.version)


def require_ascending(values: Sequence[Any], what: str) -> None:
    """Require that values ascend strictly."""
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise InvalidInput(f"{what} are not in ascending order, or one occurs twice.")


def _bytes(record: Record) -> bytes:
    return canonical_json(record.model_dump(mode="json", by_alias=True))
