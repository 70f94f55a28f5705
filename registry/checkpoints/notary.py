"""Sign checkpoints of final blocks at an interval, and collect cosignatures for the newest one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx
import structlog

from registry.base.errors import InvalidInput, RegistryError, Unavailable
from registry.base.tls import tls_context
from registry.chain.client import Chain
from registry.chain.history import ask, read_block
from registry.checkpoints.store import CheckpointStore, SignedCheckpoint
from registry.checkpoints.witnesses import Declined, WitnessAddress, ask_witness
from registry.index.state import find_cursor
from registry.notes.alarm import Alarm, AlarmKind
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import MAX_SIGNATURES, KeyKind, Note, Signature, SigningKey
from registry.storage import Storage

WITNESS_SECONDS: Final = 10.0
"""The longest wait for one witness."""
RETRY_SECONDS: Final = 5.0
"""The pause before a witness that did not cosign is asked again. Its own node may be a little behind."""

log = structlog.get_logger(__name__)


class Notary:
    """Sign the blocks that are final by the index.

    Before a checkpoint is signed, the chain must still have the block of the previous one: this node signs one history
    only. If the chain lost that block, the notary raises an alarm and signs nothing until the chain has it again.

    Args:
        chain: The chain.
        storage: The database, with the index that knows the final height.
        key: The node's key for notes.
        witnesses: The witnesses that are asked to cosign.
        chain_id: The chain's id.
        interval: The minimum time between two checkpoints, seconds.
        clock: Return the Unix time in seconds.

    Raises:
        InvalidInput: The key is not a node's key, two witnesses have the same key, or there are too many for a note.
    """

    def __init__(
        self,
        chain: Chain,
        storage: Storage,
        key: SigningKey,
        witnesses: Sequence[WitnessAddress],
        *,
        chain_id: int,
        interval: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if key.verifier.kind is not KeyKind.NOTE:
            raise InvalidInput(
                f"The node needs a key that signs notes, but this is a key of the kind {key.verifier.kind}."
            )
        if len({witness.key.public for witness in witnesses}) != len(witnesses):
            raise InvalidInput("Each witness must have its own key, but two of them have the same one.")
        if len(witnesses) >= MAX_SIGNATURES:
            raise InvalidInput(f"At most {MAX_SIGNATURES - 1} witnesses are allowed; got {len(witnesses)}.")
        self._chain = chain
        self._storage = storage
        self._store = CheckpointStore(storage)
        self._key = key
        self._witnesses = tuple(witnesses)
        self._chain_id = chain_id
        self._interval = interval
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Sign and collect until the event is set. Failures of the chain or database are logged and retried."""
        with httpx.Client(timeout=WITNESS_SECONDS, verify=tls_context()) as client:
            while not stop.is_set():
                try:
                    self._store.remember_keys([self._key.verifier, *(witness.key for witness in self._witnesses)])
                    self.sign()
                    self.gather(client)
                except RegistryError as error:
                    log.warning("no checkpoint now", reason=str(error))
                stop.wait(min(self._interval, RETRY_SECONDS))

    def sign(self) -> SignedCheckpoint | None:
        """Sign the newest final block, if it is newer than the last one signed and the interval has passed.

        Returns:
            The new checkpoint, or None.

        Raises:
            Unavailable: The chain or the database cannot be used.
            RpcError: The node refused.
        """
        now = int(self._clock())
        last = self._store.newest()
        with self._storage.read() as connection:
            cursor = find_cursor(connection)
        height = None if cursor is None else cursor.final_height
        if height is None or (last is not None and (height <= last.height or now - last.signed_at < self._interval)):
            return None
        heights = [height] if last is None else [last.height, height]
        blocks = [
            read_block(answer)
            for answer in ask(self._chain, [("eth_getBlockByNumber", [hex(number), False]) for number in heights])
        ]
        if [block.number for block in blocks] != heights:
            raise Unavailable("The node returned other blocks than the requested ones.")
        if last is not None and blocks[0].hash != last.block_hash:
            theirs = Checkpoint(self._chain_id, last.height, blocks[0].hash).note()
            self._raise(Alarm(AlarmKind.FORK, last.note, theirs), self._key.verifier.name)
            return None
        note = self._key.sign(Checkpoint(self._chain_id, height, blocks[-1].hash).note(), now)
        self._store.add(note, now)
        log.info("checkpoint", height=height, block=str(blocks[-1].hash))
        return self._store.newest()

    def gather(self, client: httpx.Client) -> None:
        """Ask all witnesses that have not cosigned the newest checkpoint, concurrently.

        Args:
            client: The HTTP client.

        Raises:
            Unavailable: The database cannot be used.
        """
        newest = self._store.newest()
        if newest is None:
            return
        missing = [
            witness
            for witness in self._witnesses
            if not any(line.is_by(witness.key) for line in newest.note.signatures)
        ]
        if not missing:
            return
        # The first signature is the node's. Another indexer on this database, with its own key, may have made it.
        note = Note(newest.note.text, newest.note.signatures[:1])

        def ask_one(witness: WitnessAddress) -> Signature | None:
            try:
                answer = ask_witness(client, witness, note)
            except Unavailable as error:
                write = log.info if isinstance(error, Declined) else log.warning
                write("not cosigned", height=newest.height, witness=witness.key.name, reason=str(error))
                return None
            if isinstance(answer, Alarm):
                self._raise(answer, witness.key.name)
                return None
            return answer

        with ThreadPoolExecutor(len(missing), "witnesses") as executor:
            cosignatures = [answer for answer in executor.map(ask_one, missing) if answer is not None]
        if cosignatures:
            self._store.add_cosignatures(newest.height, cosignatures)
            names = [line.name for line in cosignatures]
            log.info("cosigned", height=newest.height, witnesses=names)

    def _raise(self, alarm: Alarm, reporter: str) -> None:
        if self._store.raise_alarm(alarm, reporter, int(self._clock())):
            log.critical("ALARM", reporter=reporter, alarm=str(alarm), ours=str(alarm.ours), theirs=str(alarm.theirs))
