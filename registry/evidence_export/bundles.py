"""Making an evidence bundle of a dataset from what a chain gives over JSON-RPC."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from registry.base.canonical import metadata_hash, read_json
from registry.base.errors import InvalidInput, NotFound, Unavailable, VerificationFailed
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.chain.client import Chain, RpcError
from registry.chain.history import BlockRef, Topics, ask, logs_until
from registry.ethereum.eip712 import Domain
from registry.ethereum.header import Header, encode_header
from registry.ethereum.logs import Moment
from registry.ethereum.receipts import decode_receipt, encode_receipt, receipt_key, receipts_trie
from registry.ethereum.state import account_at, head_slot, pair_slot, slot_at
from registry.ethereum.trie import Nodes
from registry.evidence import bundle as form
from registry.evidence.content import path_of
from registry.evidence.record import History, Placed, history_of
from registry.evidence.signatures import MESSAGES, require_signed
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import verify
from registry.evidence_export.grantees import AccessLogs
from registry.evidence_export.messages import read_call
from registry.manifest.text import Listing
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, VerifierKey
from registry.rooms.datasets.events import REGISTERED, REVISED, TRANSFER, WITHDRAWN
from registry.rooms.datasets.records import Dataset
from registry.rooms.deployment import Deployment

LARGEST_GAP = 256
"""Up to how many blocks apart two blocks are linked by all the headers between them, some 1.2 kB each."""
FARTHEST_CHECKPOINT = 4096
"""Up to how many blocks behind a block a checkpoint vouches for it."""

_HEADERS_AT_ONCE = 100
_SLOTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a version's content a bundle is to hold.

    Args:
        manifest: The version's manifest, or None.
        files: The paths of single files to show instead of the whole manifest; none: the whole.
        metadata: The version's metadata, or None.
        version: The version; None: the latest.
    """

    manifest: Listing | None = None
    files: Sequence[str] = ()
    metadata: dict[str, Any] | None = None
    version: int | None = None


NOTHING = Shown()


@dataclass(frozen=True, slots=True)
class SignedBlocks:
    """Checkpoints to put into a bundle.

    Args:
        notes: The signed notes.
        keys: The keys of all who signed them.
    """

    notes: Sequence[Note] = ()
    keys: Sequence[VerifierKey] = ()


NO_CHECKPOINTS = SignedBlocks()


def export_bundle(
    chain: Chain,
    deployment: Deployment,
    dataset_id: DatasetId,
    until: BlockRef,
    *,
    grantees: Iterable[Address] | None = None,
    shown: Shown | Callable[[Dataset], Shown] = NOTHING,
    checkpoints: SignedBlocks | Callable[[Sequence[int]], SignedBlocks] = NO_CHECKPOINTS,
    largest_gap: int = LARGEST_GAP,
) -> bytes:
    """Makes the bundle of a dataset as of a block, and verifies it before it is given away.

    Args:
        chain: The chain.
        deployment: Where the contracts are.
        dataset_id: The dataset.
        until: The block; with checkpoints, the block of one of them.
        grantees: Whose access to show; None: that of all who were ever granted any.
        shown: What of the content to show, or what finds it once the dataset's history is known.
        checkpoints: Signed checkpoints, or what finds them for the heights of the blocks that the bundle shows. With
            them, each of these blocks is followed by the headers up to one of them, where one is near enough.
        largest_gap: Without checkpoints, up to how many blocks apart blocks are linked by the headers between them.

    Raises:
        NotFound: There is no such dataset at that block, or no such file in the manifest.
        InvalidInput: The content shown is not that of the version, the chain's blocks cannot be shown offline, or a
            grantee who is named asked too often.
        Unavailable: No usable answer came, or the chain changed meanwhile.
        RpcError: The node refused.
    """
    moments = _moments(chain, deployment, dataset_id, until)
    access = AccessLogs(chain, deployment, dataset_id, until).to_show(grantees)
    moments += access.moments
    heights = sorted({moment.block_number for moment in moments} | {until.number})
    signed = checkpoints(heights) if callable(checkpoints) else checkpoints
    notes = {Checkpoint.of(note).height: note for note in signed.notes}
    spans = _spans(heights, sorted(height for height in notes if height <= until.number), largest_gap)
    raw_headers = _headers(chain, spans)
    headers = {height: Header.decode(raw) for height, raw in raw_headers.items()}
    if headers[until.number].hash != until.hash:
        raise _changed(until)
    receipts, logs, transactions = _receipts(chain, moments, headers)
    grants = deployment.address_of("AccessGrants") if access.grantees else None
    history = history_of(logs, dataset_id, deployment.address_of("DatasetRegistry"), grants, access.grantees)
    ends = [span[-1] for span in spans]
    bundle = form.Bundle(
        chain_id=deployment.chain_id,
        checkpoints=_checkpoints([notes[end] for end in ends if end in notes], signed.keys),
        content=_content(shown(history.dataset) if callable(shown) else shown, history),
        contracts=form.Contracts(access_grants=grants, dataset_registry=deployment.address_of("DatasetRegistry")),
        dataset_id=dataset_id,
        format=form.FORMAT,
        headers=tuple(tuple(raw_headers[height] for height in span) for span in spans),
        messages=tuple(_messages(chain, deployment, history, transactions)),
        receipts=receipts,
        record=history.record(headers[until.number]),
        state=_state(chain, deployment, dataset_id, access.grantees, headers[until.number]),
    )
    source = bundle.to_json()
    try:
        verify(source, PinnedBlocks({headers[end].hash for end in ends}, deployment.chain_id))
    except VerificationFailed as error:
        raise Unavailable(
            f"What the node gave does not verify: {error.message}", hint="The chain may have changed: try again."
        ) from error
    return source


def _moments(chain: Chain, deployment: Deployment, dataset_id: DatasetId, until: BlockRef) -> list[Moment]:
    """Where the dataset's own events are."""
    topic = Bytes32(dataset_id)
    wanted: list[Topics] = [[[REGISTERED, REVISED, WITHDRAWN], topic], [TRANSFER, None, None, topic]]
    moments = [
        at
        for _, at in logs_until(chain, deployment.address_of("DatasetRegistry"), wanted, deployment.block_number, until)
    ]
    if not moments:
        raise NotFound(f"There is no dataset {dataset_id} up to block {until.number}.")
    return moments


def _spans(heights: Sequence[int], checkpoints: Sequence[int], largest_gap: int) -> list[list[int]]:
    """The heights of the headers to show, in runs.

    Args:
        heights: The blocks that must be shown, ascending; the last is the block of the record.
        checkpoints: The heights of the checkpoints, ascending.
        largest_gap: Without checkpoints, up to how many blocks apart two blocks are joined.
    """
    spans: list[list[int]] = []
    for height in heights:
        end = next((at for at in checkpoints if height <= at <= height + FARTHEST_CHECKPOINT), height)
        gap = 1 if checkpoints else largest_gap
        if spans and height <= spans[-1][-1] + gap:
            spans[-1] += range(spans[-1][-1] + 1, end + 1)
        else:
            spans.append(list(range(height, end + 1)))
    return spans


def _headers(chain: Chain, spans: Sequence[Sequence[int]]) -> dict[int, bytes]:
    heights = [height for span in spans for height in span]
    headers: dict[int, bytes] = {}
    for start in range(0, len(heights), _HEADERS_AT_ONCE):
        part = heights[start : start + _HEADERS_AT_ONCE]
        blocks = ask(chain, [("eth_getBlockByNumber", [hex(height), False]) for height in part])
        if None in blocks:
            raise Unavailable("The node does not have all blocks that evidence needs.")
        headers |= {height: encode_header(block) for height, block in zip(part, blocks, strict=True)}
    return headers


def _receipts(
    chain: Chain, moments: Sequence[Moment], headers: Mapping[int, Header]
) -> tuple[tuple[form.Receipts, ...], list[Placed], dict[tuple[int, int], str]]:
    """The receipts' proofs, the logs in them, and the hash of each transaction by its place."""
    parts: list[form.Receipts] = []
    placed: list[Placed] = []
    transactions: dict[tuple[int, int], str] = {}
    for height, group in groupby(sorted(moments), key=lambda moment: moment.block_number):
        (receipts,) = ask(chain, [("eth_getBlockReceipts", [hex(height)])])
        wanted = {str(moment.transaction_hash) for moment in group}
        indices = [index for index, receipt in enumerate(receipts or ()) if receipt["transactionHash"] in wanted]
        trie = receipts_trie(receipts or ())
        if len(indices) != len(wanted) or trie.root != headers[height].receipts_root:
            raise Unavailable(f"The receipts that the node gives for block {height} are not those of the block.")
        for index in indices:
            transactions[height, index] = receipts[index]["transactionHash"]
            logs = decode_receipt(encode_receipt(receipts[index])).logs
            placed += [Placed(log, headers[height], index, position) for position, log in enumerate(logs)]
        nodes = trie.proof(receipt_key(index) for index in indices)
        parts.append(form.Receipts(block=height, nodes=nodes, transactions=tuple(indices)))
    return tuple(parts), placed, transactions


def _messages(
    chain: Chain, deployment: Deployment, history: History, transactions: Mapping[tuple[int, int], str]
) -> Iterable[form.SignedMessage]:
    """The signed message of each event whose transaction carried one with its signer's own ECDSA signature."""
    hashes = list(transactions.values())
    carried = ask(chain, [("eth_getTransactionByHash", [transaction]) for transaction in hashes])
    inputs = {
        transaction: bytes.fromhex(answer["input"][2:])
        for transaction, answer in zip(hashes, carried, strict=True)
        if answer is not None
    }
    for index, shown in enumerate(history.shown):
        call = read_call(inputs.get(transactions[shown.placed.block.number, shown.placed.transaction], b""))
        if call is None or not isinstance(call[0], MESSAGES[type(shown.event)]):
            continue
        message, signature = call
        domain = Domain(message.CONTRACT, deployment.chain_id, shown.placed.log.address)
        try:
            require_signed(shown, message, signature, domain)
        except VerificationFailed:
            continue  # An organisation's wallet signed it, in a way that only its own contract can check.
        yield form.SignedMessage(event=index, message=message.to_json(), signature=signature)


def _state(
    chain: Chain, deployment: Deployment, dataset_id: DatasetId, grantees: Sequence[Address], header: Header
) -> tuple[bytes, ...] | None:
    """The trie nodes of the slots that the bundle speaks of, or None where the node does not have that state."""
    pairs = [pair_slot(dataset_id, grantee) for grantee in grantees]
    parts = [pairs[start : start + _SLOTS_AT_ONCE] for start in range(0, len(pairs), _SLOTS_AT_ONCE)]
    wanted = [
        (deployment.address_of("DatasetRegistry"), [head_slot(dataset_id)]),
        *((deployment.address_of("AccessGrants"), part) for part in parts),
    ]
    given: dict[bytes, None] = {}
    for address, slots in wanted:
        try:
            proof = chain.request("eth_getProof", [str(address), [str(slot) for slot in slots], hex(header.number)])
        except RpcError:
            return None
        for node in [*proof["accountProof"], *(node for slot in proof["storageProof"] for node in slot["proof"])]:
            given[bytes.fromhex(node[2:])] = None
    nodes = Nodes(given)
    for address, slots in wanted:
        account = account_at(nodes, header.state_root, address)
        for slot in slots:
            slot_at(nodes, account.storage_root, slot)
    return nodes.read


def _content(shown: Shown, history: History) -> form.Content | None:
    manifest = shown.manifest
    latest = history.dataset.latest.number
    number = shown.version or latest
    if not 1 <= number <= len(history.dataset.versions):
        raise NotFound(f"The dataset has no version {number}.")
    if manifest is None and shown.metadata is None:
        if number != latest:
            # Without content a bundle speaks of the latest version: it must not be handed out as another's.
            raise NotFound(
                f"Of version {number} there is neither a manifest to show nor metadata, so no bundle can be about it.",
                hint=f"Ask for the latest version, {latest}.",
            )
        return None
    if manifest is None and shown.files:
        raise InvalidInput("To show single files, the manifest is needed.")
    version = history.dataset.versions[number - 1]
    if manifest is not None and manifest.root != version.content_root:
        raise InvalidInput(f"The manifest has the root {manifest.root}, version {number} has {version.content_root}.")
    if shown.metadata is not None and metadata_hash(shown.metadata) != version.metadata_hash:
        raise InvalidInput(f"The metadata does not have the hash {version.metadata_hash} of version {number}.")
    return form.Content(
        files=tuple(
            form.File(entry=_object(manifest.leaf(path)), path=path_of(manifest.proof(path)))
            for path in sorted(set(shown.files))
        )
        if manifest is not None
        else (),
        manifest=_object(manifest.to_json().encode()) if manifest is not None and not shown.files else None,
        metadata=shown.metadata,
        version=number,
    )


def _checkpoints(notes: Sequence[Note], keys: Sequence[VerifierKey]) -> form.Checkpoints | None:
    """The checkpoints with the signatures of known keys."""
    kept = [
        Note(note.text, tuple(line for line in note.signatures if any(line.is_by(key) for key in keys)))
        for note in notes
    ]
    signers = [key for key in keys if any(line.is_by(key) for note in kept for line in note.signatures)]
    if not kept or not signers:
        return None
    return form.Checkpoints(keys=tuple(str(key) for key in signers), notes=tuple(str(note) for note in kept))


def _object(source: bytes) -> dict[str, Any]:
    value = read_json(source)
    if not isinstance(value, dict):
        raise InvalidInput("A JSON object is needed here.")
    return value


def _changed(until: BlockRef) -> Unavailable:
    return Unavailable(
        f"Block {until.number} is no longer {until.hash}.", hint="The chain changed meanwhile: try again."
    )
