"""The witness: its state, its own node, its clock and its key, behind one lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog

from registry.base.errors import RegistryError, Unavailable
from registry.chain.client import Chain, ChainUnavailable
from registry.chain.finality import Finality, FinalityRule
from registry.notes.alarm import Alarm, AlarmKind
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, Signature, VerifierKey
from registry.witness.decision import Cosign, Reason, Refuse, State, decide
from registry.witness.follow import HEADERS_AT_ONCE, Fork, extend, final_header, headers_at
from registry.witness.store import RaisedAlarm, WitnessStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WitnessHealth:
    """The health of a witness.

    Args:
        state: The state that it has committed to; None before it has followed a block.
        fault: Why it could not follow its own node at the last attempt, or empty.
        open_alarms: The number of alarms that the operator has not acknowledged.
    """

    state: State | None
    fault: str
    open_alarms: int


class Witness:
    """A witness. Safe to use from several threads.

    Args:
        store: Its folder; closed with the witness.
        chain: Its own node; closed with the witness.
        nodes: The keys of the nodes whose notes it considers.
        finality: The rule for when a block of its own node is final.
        clock: Return the Unix time in seconds.
    """

    def __init__(
        self,
        store: WitnessStore,
        chain: Chain,
        nodes: Collection[VerifierKey],
        *,
        finality: Finality = "finalized",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._chain = chain
        self._nodes = tuple(nodes)
        self._finality = FinalityRule(finality)
        self._clock = clock
        self._lock = threading.RLock()
        self._is_bound = False
        self._fault = "The witness has not asked its own node yet."

    @property
    def key(self) -> VerifierKey:
        """The witness's public key."""
        return self._store.key.verifier

    def close(self) -> None:
        """Close its folder and the connections to its node, after the call under way."""
        with self._lock:
            self._chain.close()
            self._store.close()

    def run(self, stop: threading.Event, interval: float) -> None:
        """Follow its own node until the event is set. Failures of the node are logged and retried.

        Args:
            stop: The event that ends the loop.
            interval: The pause between two requests to the node, seconds.
        """
        while not stop.is_set():
            try:
                advanced = self.advance()
            except RegistryError as error:
                log.warning("cannot follow own node", reason=str(error))
                advanced = False
            if not advanced:
                stop.wait(interval)

    def advance(self) -> bool:
        """Follow its own node by a number of blocks.

        Returns:
            Whether it followed new blocks; then more may be available at once.

        Raises:
            Unavailable: The node gave no usable answer, or the state cannot be written.
            RpcError: The node refused.
            Conflict: The node serves another chain.
        """
        with self._lock:
            self._fault = ""
            try:
                return self._advance()
            except RegistryError as error:
                self._fault = f"The witness cannot follow its own node: {error.message}"
                raise

    def consider(self, note: Note) -> Signature | Refuse | Alarm:
        """Cosign a note, or return why not. An alarm is stored before it is returned.

        Args:
            note: The note, signed by a node.

        Raises:
            InvalidInput: The note is not a checkpoint.
            Unavailable: The witness has not followed a block yet, or its state cannot be written.
        """
        checkpoint = Checkpoint.of(note)
        with self._lock:
            decision = self._decide(note, checkpoint)
            if isinstance(decision, Refuse) and decision.reason is Reason.AHEAD and self._catch_up(checkpoint.height):
                decision = self._decide(note, checkpoint)
            if isinstance(decision, Alarm):
                self._raise(decision)
            if not isinstance(decision, Cosign):
                return decision
            self._store.commit(note, decision.checkpoint, decision.time)
            return self._store.key.sign(Note(note.text, ()), decision.time).signatures[-1]

    def alarms(self) -> list[RaisedAlarm]:
        """Return all alarms, ascending by number."""
        with self._lock:
            return self._store.alarms()

    def health(self) -> WitnessHealth:
        """Return its health."""
        with self._lock:
            alarms = self._store.alarms()
            open_alarms = sum(alarm.acknowledged_at is None for alarm in alarms)
            return WitnessHealth(self._store.state(), self._fault, open_alarms)

    def _decide(self, note: Note, checkpoint: Checkpoint) -> Cosign | Refuse | Alarm:
        state = self._store.state()
        if state is None:
            raise Unavailable("This witness has not followed a block yet.", hint=self._fault)
        view = self._store.view(checkpoint.height)
        return decide(state, note, view, nodes=self._nodes, now=int(self._clock()))

    def _catch_up(self, height: int) -> bool:
        """Follow its own node towards a height, by at most one batch of blocks; return whether it followed new ones."""
        state = self._store.state()
        if state is None or height - state.tip.height > HEADERS_AT_ONCE:
            return False
        try:
            return self.advance()
        except RegistryError as error:
            log.warning("cannot follow own node", reason=str(error))
            return False

    def _advance(self) -> bool:
        if not self._is_bound:
            self._store.bind(self._chain.identity)
            self._is_bound = True
        final = final_header(self._chain, self._finality)
        state = self._store.state()
        if state is None:
            first = Checkpoint(self._chain.identity.chain_id, final.number, final.hash)
            self._store.follow([first])
            log.info("witness started", height=first.height, block=str(first.block_hash))
            return False
        tip = state.tip
        last = min(final.number, tip.height + HEADERS_AT_ONCE)
        probe = min(tip.height, final.number)
        here, *headers = headers_at(self._chain, [probe, *range(tip.height + 1, last + 1)])
        known = self._store.view(probe).block_hash
        if here is None:
            raise ChainUnavailable(f"The node does not have block {probe}, which it reported as final.")
        followed: list[Checkpoint] | Fork
        if known is not None and here.hash != known:
            followed = Fork(Checkpoint(tip.chain_id, probe, known), Checkpoint(tip.chain_id, probe, here.hash))
        else:
            followed = extend(tip, [header for header in headers if header is not None])
        if isinstance(followed, Fork):
            self._store.mark_forked(True)
            self._raise(Alarm(AlarmKind.FORK, followed.ours.note(), followed.theirs.note()))
            self._fault = f"The witness's own node has left the branch with block {followed.ours.block_hash}."
            return False
        if followed:
            self._store.follow(followed)
        if state.is_forked and probe == tip.height:
            self._store.mark_forked(False)
        return bool(followed)

    def _raise(self, alarm: Alarm) -> None:
        if self._store.raise_alarm(alarm, int(self._clock())):
            log.critical("ALARM", alarm=str(alarm), ours=str(alarm.ours), theirs=str(alarm.theirs))
