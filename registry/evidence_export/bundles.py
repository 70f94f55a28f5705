"""Make an evidence bundle of a dataset from a chain's JSON-RPC."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from registry.base.errors import NotFound, Unavailable, VerificationFailed
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.base.subject import Subject
from registry.chain.client import Chain
from registry.chain.history import BlockRef, logs_until
from registry.ethereum.header import Header
from registry.ethereum.logs import Moment
from registry.evidence import bundle as form
from registry.evidence.checks import record_of
from registry.evidence.record import History, LocatedLog, Scope, history_of, main_room, proof_of
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import verify
from registry.evidence_export.content import NOTHING, ContentSelection, content_of
from registry.evidence_export.reading import headers_of, messages_of, receipts_of, state_of
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, VerifierKey
from registry.rooms.access.grantees import AccessLogs
from registry.rooms.access.protocol import PROTOCOL as ACCESS
from registry.rooms.datasets.events import filters
from registry.rooms.datasets.records import Dataset
from registry.rooms.deployment import Deployment
from registry.rooms.protocols import PROTOCOLS

LARGEST_GAP = 256
"""The largest distance at which two blocks are linked by the headers between them, about 1.2 kB each."""
FARTHEST_CHECKPOINT = 4096
"""The largest distance at which a later checkpoint vouches for a block."""


@dataclass(frozen=True, slots=True)
class SignedBlocks:
    """Checkpoints to include in a bundle.

    Args:
        notes: The signed notes.
        keys: The keys that signed them.
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
    shown: ContentSelection | Callable[[Dataset], ContentSelection] = NOTHING,
    checkpoints: SignedBlocks | Callable[[Sequence[int]], SignedBlocks] = NO_CHECKPOINTS,
    largest_gap: int = LARGEST_GAP,
) -> bytes:
    """Return the bundle of a dataset as of a block, after verifying it.

    Args:
        chain: The chain.
        deployment: The contracts.
        dataset_id: The dataset.
        until: The block; with checkpoints, the block of one of them.
        grantees: The grantees whose access to show; None means all who were ever granted access.
        shown: The content to show, or a function that selects it once the dataset's history is known.
        checkpoints: Signed checkpoints, or a function that finds them for the heights of the blocks that the bundle
            shows. With them, each of these blocks is followed by the headers up to a checkpoint, if one is near.
        largest_gap: Without checkpoints, the largest distance at which blocks are linked by the headers between them.

    Raises:
        NotFound: There is no such dataset at that block, or no such file in the manifest.
        InvalidInput: The content shown is not that of the version, the chain's blocks cannot be shown offline, or a
            named grantee made too many requests.
        Unavailable: No usable answer came, or the chain changed meanwhile.
        RpcError: The node refused.
    """
    access = AccessLogs(chain, deployment, dataset_id, until).to_show(grantees)
    moments = [*_moments(chain, deployment, dataset_id, until), *access.moments]
    blocks = _blocks_to_show(chain, moments, until, checkpoints, largest_gap)
    receipts, logs, transactions = receipts_of(chain, moments, blocks.headers)
    history = _history(logs, deployment, dataset_id, access.grantees)
    bundle = form.form_of(PROTOCOLS)(
        chain_id=deployment.chain_id,
        checkpoints=blocks.checkpoints,
        content=_content(history, shown),
        contracts=_contracts(deployment, history),
        dataset_id=dataset_id,
        format=form.FORMAT,
        headers=blocks.runs,
        messages=tuple(messages_of(chain, deployment.chain_id, history, transactions, PROTOCOLS)),
        receipts=receipts,
        record=record_of(history, blocks.last, PROTOCOLS),
        state=state_of(chain, deployment, history, blocks.last, PROTOCOLS),
    )
    return _verified(bundle.to_json(), PinnedBlocks(blocks.to_vouch_for, deployment.chain_id))


@dataclass(frozen=True, slots=True)
class _ShownBlocks:
    """The block headers that a bundle shows.

    Args:
        headers: The headers by height.
        last: The last one: that of the record's block.
        runs: The same as the chain has them, in runs.
        to_vouch_for: The hash of the last header of each run.
        checkpoints: The checkpoints that vouch for these.
    """

    headers: Mapping[int, Header]
    last: Header
    runs: tuple[tuple[bytes, ...], ...]
    to_vouch_for: set[Bytes32]
    checkpoints: form.Checkpoints | None


def _blocks_to_show(
    chain: Chain,
    moments: Sequence[Moment],
    until: BlockRef,
    checkpoints: SignedBlocks | Callable[[Sequence[int]], SignedBlocks],
    largest_gap: int,
) -> _ShownBlocks:
    """Return the headers that link the blocks of some events to those that are vouched for."""
    heights = sorted({moment.block_number for moment in moments} | {until.number})
    signed = checkpoints(heights) if callable(checkpoints) else checkpoints
    notes = {Checkpoint.of(note).height: note for note in signed.notes}
    spans = _spans(heights, sorted(height for height in notes if height <= until.number), largest_gap)
    encoded = headers_of(chain, spans)
    headers = {height: Header.decode(header) for height, header in encoded.items()}
    last = headers[until.number]
    if last.hash != until.hash:
        raise _changed(until)
    return _ShownBlocks(
        headers=headers,
        last=last,
        runs=tuple(tuple(encoded[height] for height in span) for span in spans),
        to_vouch_for={headers[span[-1]].hash for span in spans},
        checkpoints=_checkpoints([notes[span[-1]] for span in spans if span[-1] in notes], signed.keys),
    )


def _content(history: History, shown: ContentSelection | Callable[[Dataset], ContentSelection]) -> form.Content | None:
    """Return what the bundle shows of a version's content."""
    dataset = history.main.state
    versions = proof_of(main_room(PROTOCOLS)).versions
    return content_of(shown(dataset) if callable(shown) else shown, versions(dataset) if versions else ())


def _verified(source: bytes, trust: PinnedBlocks) -> bytes:
    """Return a bundle that verifies: no other is returned."""
    try:
        verify(source, trust, PROTOCOLS)
    except VerificationFailed as error:
        raise Unavailable(
            f"The evidence from the node does not verify: {error.message}",
            hint="The chain may have changed: try again.",
        ) from error
    return source


def _history(
    logs: Sequence[LocatedLog], deployment: Deployment, dataset_id: DatasetId, grantees: Sequence[Address]
) -> History:
    main = main_room(PROTOCOLS)
    subject = Subject(proof_of(main).kind, dataset_id)
    scopes = [Scope(main.name, subject), *(Scope(ACCESS.name, subject, grantee) for grantee in grantees)]
    return history_of(logs, scopes, deployment.addresses, PROTOCOLS)


def _contracts(deployment: Deployment, history: History) -> form.Contracts:
    """Return the addresses of the contracts by which the history's states are proven."""
    model = form.form_of(PROTOCOLS).model_fields["contracts"].annotation
    used = {proof.contract for proof in history.proofs}
    names = [proof_of(room).contract for room in PROTOCOLS.proven]
    contracts: form.Contracts = model(
        **{  # type: ignore[misc]
            name: deployment.address_of(name) if name in used else None for name in names
        }
    )
    return contracts


def _moments(chain: Chain, deployment: Deployment, dataset_id: DatasetId, until: BlockRef) -> list[Moment]:
    """Return the moments of the dataset's own events."""
    address = deployment.address_of(proof_of(main_room(PROTOCOLS)).contract)
    found = logs_until(chain, address, filters(dataset_id), deployment.block_number, until)
    if not found:
        raise NotFound(f"There is no dataset {dataset_id} up to block {until.number}.")
    return [at for _, at in found]


def _spans(heights: Sequence[int], checkpoints: Sequence[int], largest_gap: int) -> list[list[int]]:
    """Return the heights of the headers to show, in runs.

    Args:
        heights: The blocks that must be shown, ascending; the last is the block of the record.
        checkpoints: The heights of the checkpoints, ascending.
        largest_gap: Without checkpoints, the largest distance at which two blocks are joined.
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


def _checkpoints(notes: Sequence[Note], keys: Sequence[VerifierKey]) -> form.Checkpoints | None:
    """Return the checkpoints with the signatures of known keys."""
    kept = [
        Note(note.text, tuple(line for line in note.signatures if any(line.is_by(key) for key in keys)))
        for note in notes
    ]
    signers = [key for key in keys if any(line.is_by(key) for note in kept for line in note.signatures)]
    if not kept or not signers:
        return None
    return form.Checkpoints(keys=tuple(str(key) for key in signers), notes=tuple(str(note) for note in kept))


def _changed(until: BlockRef) -> Unavailable:
    return Unavailable(
        f"Block {until.number} is no longer {until.hash}.", hint="The chain changed meanwhile: try again."
    )
