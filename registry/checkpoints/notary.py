"""Signing checkpoints of final blocks at an interval, and gathering cosignatures for the newest of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx
import structlog

from registry.base.errors import InvalidInput, RegistryError, Unavailable
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
"""Longest wait for one witness."""
RETRY_SECONDS: Final = 5.0
"""Pause before a witness that did not cosign is asked again; its own node may be a little behind."""

log = structlog.get_logger(__name__)


class Notary:
    """Signs what the index holds for final.

    Before a checkpoint is signed, the chain must still have the block of the one before: what this node signs is one
    history too. If it has not, that is an alarm, and nothing more is signed until the chain has it again.

    Args:
        chain: The chain.
        storage: The database, with the index that says what is final.
        key: The node's key for notes.
        witnesses: Who is asked to cosign.
        chain_id: The chain's id.
        interval: Seconds at least between two checkpoints.
        clock: Gives the Unix time in seconds.

    Raises:
        InvalidInput: The key is none of a node, two witnesses have one key, or they are too many for a note.
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
            raise InvalidInput("The node's key is one that signs notes.")
        if len({witness.key.public for witness in witnesses}) != len(witnesses):
            raise InvalidInput("Each witness has a key of its own, but one stands twice among them.")
        if len(witnesses) >= MAX_SIGNATURES:
            raise InvalidInput(f"A checkpoint has room for {MAX_SIGNATURES - 1} witnesses, not for {len(witnesses)}.")
        self._chain = chain
        self._storage = storage
        self._store = CheckpointStore(storage)
        self._key = key
        self._witnesses = tuple(witnesses)
        self._chain_id = chain_id
        self._interval = interval
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Signs and gathers until it is told to stop. That chain or database fail is logged, and it tries again."""
        with httpx.Client(timeout=WITNESS_SECONDS) as client:
            while not stop.is_set():
                try:
                    self._store.remember_keys([self._key.verifier, *(witness.key for witness in self._witnesses)])
                    self.sign()
                    self.gather(client)
                except RegistryError as error:
                    log.warning("no checkpoint now", reason=str(error))
                stop.wait(min(self._interval, RETRY_SECONDS))

    def sign(self) -> SignedCheckpoint | None:
        """Signs the newest final block, if it is time to and it is newer than the last one signed.

        Raises:
            Unavailable: Chain or database cannot be used.
            RpcError: The node refused.

        Returns:
            The new checkpoint, or None.
        """
        now = int(self._clock())
        last = self._store.newest()
        with self._storage.read() as connection:
            cursor = find_cursor(connection)
        height = None if cursor is None else cursor.final_height
        if height is None or (last is not None and (height <= last.height or now - last.signed_at < self._interval)):
            return None
        wanted = [height] if last is None else [last.height, height]
        found = [
            read_block(answer)
            for answer in ask(self._chain, [("eth_getBlockByNumber", [hex(number), False]) for number in wanted])
        ]
        if [block.number for block in found] != wanted:
            raise Unavailable("The node gave other blocks than those that were asked for.")
        if last is not None and found[0].hash != last.block_hash:
            theirs = Checkpoint(self._chain_id, last.height, found[0].hash).note()
            self._raise(Alarm(AlarmKind.FORK, last.note, theirs), self._key.verifier.name)
            return None
        note = self._key.sign(Checkpoint(self._chain_id, height, found[-1].hash).note(), now)
        self._store.add(note, now)
        log.info("checkpoint", height=height, block=str(found[-1].hash))
        return self._store.newest()

    def gather(self, client: httpx.Client) -> None:
        """Asks the witnesses that have not cosigned the newest checkpoint, all at once.

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
        # The first signature is the node's; it may be that of another indexer on this database, with a key of its own.
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
