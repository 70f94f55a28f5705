"""The relayer: brings accepted messages into blocks and follows them until they are final.

All it knows is in the database and on the chain. A step may be cut off anywhere, by a crash or an error, and the next
one, in this process or another, goes on from there: a transaction is stored before it is first sent, the same bytes
are sent again until they are in a block, and what a block says is noted together with the block's hash.

Every transaction is sent in the order of its nonce, and so in the order of acceptance: what a message needs to have
happened before it, happens before it, also after a reorganisation of the chain.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from registry.base.errors import ContractRefused, InvalidInput, RegistryError, Unavailable
from registry.base.primitives import Address, Bytes32
from registry.chain.calls import TRANSACTION_GAS, simulate
from registry.chain.capabilities import FINALIZED
from registry.chain.client import Chain, ChainUnavailable, RpcError
from registry.chain.finality import Finality, FinalityRule
from registry.chain.history import BlockRef, read_block
from registry.relay import ledger, rejections
from registry.relay.effects import find_effect
from registry.relay.fees import GWEI, Fees, Prices, outbid
from registry.relay.funding import FundingWatch, Shortage
from registry.relay.lease import Lease, LeaseLost, take
from registry.relay.ledger import Attempt, Inclusion, Outcome, Slot, Waiting
from registry.relay.receipts import Failure, Status
from registry.relay.rejections import Rejection
from registry.relay.signing import Payload, SignedTransaction, Signer, payload_of
from registry.relay.tables import NONCES
from registry.rooms.deployment import Deployment
from registry.rooms.protocols import PROTOCOLS
from registry.storage.engine import Storage

log = logging.getLogger(__name__)

SENDS_A_POST = 100
SIGNED_AT_ONCE = 500
"""So that acknowledgements do not wait long for the database meanwhile; the next step follows at once."""
FEW = 8
"""Up to so many receipts are asked for one by one."""
WATCH_SECONDS = 10.0
DEEPEST_REORGANISATION = 256
MOST_BLOCKS_CHECKED = 1024
FOREIGN_SIGHTINGS = 5
"""How often a used nonce must be seen without any of our transactions before it counts as somebody else's."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How the relayer behaves.

    Args:
        finality: When a block is final.
        bound_seconds: The published bound from accepted to mined; an alarm is raised beyond it.
        lease_seconds: How long the lease of the key lasts without renewal.
        poll_seconds: The pause when there is nothing to do.
        window: The most transactions that wait for a block at a time; less than what a node's pool holds of one account
            (geth's: 5,120 in all).
        resend_seconds: After so long without a block the same bytes are sent again.
        stuck_blocks: After so many blocks, and `resend_seconds`, without it, a transaction is replaced.
        stale_seconds: A node whose newest block is older than that is taken to be isolated: nothing is replaced.
        maximum_fee: The most that is ever offered, wei a unit of gas.
    """

    finality: Finality | FinalityRule = "auto"
    bound_seconds: float = 120.0
    lease_seconds: float = 30.0
    poll_seconds: float = 0.5
    window: int = 2048
    resend_seconds: float = 5.0
    stuck_blocks: int = 3
    stale_seconds: float = 60.0
    maximum_fee: int = 1000 * GWEI


@dataclass(frozen=True, slots=True)
class Sight:
    """What the node says at one moment.

    Args:
        head: The newest block.
        prices: What a unit of gas costs.
        used: The number of the relayer's transactions that are in blocks.
        balance: What the relayer has, wei.
        final: The height of the newest final block; -1 if there is none.
        is_syncing: Whether the node says that it is behind.
    """

    head: BlockRef
    prices: Prices
    used: int
    balance: int
    final: int
    is_syncing: bool


@dataclass(slots=True)
class _Sending:
    """What this process remembers of a transaction it sent; lost with the process, and then simply sent again."""

    at: float
    height: int


@dataclass(slots=True)
class _Memory:
    sendings: dict[Bytes32, _Sending] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    foreign: dict[int, int] = field(default_factory=dict)
    underpriced: set[int] = field(default_factory=set)
    unpaid: dict[int, int] = field(default_factory=dict)
    """What the transactions cost at most, wei, that the node refused for want of money, by their nonces."""
    unsigned: int = 0
    """What the messages cost at most, wei, that the balance did not allow to sign."""
    looked_final: set[Bytes32] = field(default_factory=set)


class Relayer:
    """Relays with one key. Several may be started for a key: one of them works, the others wait.

    Args:
        chain: The chain.
        storage: The database.
        signer: The key.
        deployment: The contracts.
        settings: How to behave.
        holder: The name under which the key is leased. A process that comes back under the same name has the key at
            once; so only one process at a time may have it, for example the one that has locked its data folder.
        clock: Gives the Unix time in seconds.
    """

    def __init__(
        self,
        chain: Chain,
        storage: Storage,
        signer: Signer,
        deployment: Deployment,
        settings: RelaySettings,
        *,
        holder: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._chain = chain
        self._storage = storage
        self._signer = signer
        self._deployment = deployment
        self._settings = settings
        self._finality = FinalityRule.of(settings.finality)
        self._funding = FundingWatch(signer.address, deployment.chain_id)
        self._holder = holder
        self._clock = clock
        self._lease: Lease | None = None
        self._renewed_at = 0.0
        self._watched_at = 0.0
        self._memory = _Memory()
        self._wake = threading.Event()
        self.last_sight: Sight | None = None
        """What was last seen of the chain, for whoever watches; None before the first step."""

    @property
    def address(self) -> Address:
        """The relaying account."""
        return self._signer.address

    @property
    def shortage(self) -> Shortage | None:
        """The want of money that keeps it from going on, or soon will."""
        return self._funding.shortage

    @property
    def holds_lease(self) -> bool:
        """Whether this one works, as far as it knows."""
        return self._lease is not None

    def wake(self) -> None:
        """There is something new: do not wait for the next poll. May be called from any thread."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Works until told to stop; then lets the key go. Faults of chain and database are logged and waited out."""
        pause = 0.0
        while not stop.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            if stop.is_set():
                break
            try:
                pause = 0.0 if self.step() else self._settings.poll_seconds
            except LeaseLost as error:
                log.warning("%s", error)
                self._lease = None
                pause = self._settings.poll_seconds
            except RegistryError as error:
                log.warning("the relay waits: %s", error)
                pause = min(max(2 * pause, self._settings.poll_seconds), 5.0)
        self.close()

    def close(self) -> None:
        """Lets the key go, so that another may take it at once."""
        lease, self._lease = self._lease, None
        if lease is not None:
            try:
                lease.release()
            except Unavailable as error:
                log.warning("the relayer's lease could not be given back and must run out: %s", error)

    def step(self) -> bool:
        """Does all that can be done now.

        Raises:
            LeaseLost: Another relayer has taken over the key.
            Unavailable: Chain or database cannot be used now.
            RpcError: The node refused a question.

        Returns:
            Whether anything came of it, so that another step may be worth it at once.
        """
        lease = self._hold()
        if lease is None:
            return False
        sight = self._look()
        self.last_sight = sight
        self._check_blocks(lease, sight)
        slots = self._open_slots()
        included = self._find_inclusions(slots, sight)
        self._note(lease, sight, included)
        gone = {inclusion.slot.nonce for inclusion in included}
        slots = [slot for slot in slots if slot.nonce not in gone]
        self._give_up_foreign(lease, slots, sight)
        replaced = self._replace(lease, slots, sight)
        signed = self._sign_waiting(lease, sight, len(slots))
        if replaced or signed:
            slots = self._open_slots()
        self._send(lease, slots, sight)
        self._watch(sight)
        return bool(included or signed)

    def _watch(self, sight: Sight) -> None:
        """Raises an alarm in the log when the published bound is broken, or the money runs out."""
        if not sight.is_syncing:  # Until a node has caught up, it does not know the balance.
            due = self._memory.unsigned + sum(self._memory.unpaid.values())
            self._funding.look(sight.balance, self._offer(sight).maximum, due=due)
        now = self._clock()
        if 0 <= now - self._watched_at < WATCH_SECONDS:
            return
        self._watched_at = now
        with self._storage.read() as connection:
            oldest = ledger.oldest_unmined(connection)
        if oldest is not None and now - oldest > self._settings.bound_seconds:
            log.error(
                "the bound of %.0f s from accepted to mined is broken: the oldest waits since %.0f s",
                self._settings.bound_seconds,
                now - oldest,
            )

    # The lease

    def _hold(self) -> Lease | None:
        if self._lease is None:
            self._lease = take(self._storage, self.address, self._holder, self._settings.lease_seconds)
            self._memory = _Memory()
            self._renewed_at = self._clock()
        elif not 0 <= self._clock() - self._renewed_at < self._settings.lease_seconds / 3:
            self._lease.renew(self._settings.lease_seconds)
            self._renewed_at = self._clock()
        return self._lease

    # What the chain says

    def _look(self) -> Sight:
        account = str(self.address)
        calls: list[tuple[str, Sequence[object]]] = [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getTransactionCount", [account, "latest"]),
            ("eth_getBalance", [account, "latest"]),
            ("eth_syncing", []),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_gasPrice", []),
        ]
        depth = self._finality.depth(self._chain)
        if depth is None:
            calls.append(("eth_getBlockByNumber", [FINALIZED, False]))
        answers: list[Any] = self._chain.batch(calls)
        latest, used, balance, syncing, priority, price, *finalized = answers
        for answer in (latest, used, balance):
            if isinstance(answer, RpcError):
                raise answer
        head = read_block(latest)
        try:
            return Sight(
                head=head,
                prices=Prices.read(latest, priority, price),
                used=int(used, 16),
                balance=int(balance, 16),
                final=_newest_tagged(finalized[0], head) if depth is None else head.number - depth,
                is_syncing=bool(syncing) and not isinstance(syncing, RpcError),
            )
        except (TypeError, KeyError, ValueError) as error:
            raise ChainUnavailable("The node's answers cannot be read.") from error

    def _check_blocks(self, lease: Lease, sight: Sight) -> None:
        """Holds the blocks in the books against the chain: some are gone, some have become final."""
        with self._storage.read() as connection:
            blocks = ledger.mined_blocks(connection, self.address)
        known = [
            (number, block_hash)
            for number, block_hash in blocks
            if number <= sight.final or sight.head.number - DEEPEST_REORGANISATION <= number <= sight.head.number
        ][-MOST_BLOCKS_CHECKED:]
        if not known:
            return
        answers = self._chain.batch([("eth_getBlockByNumber", [hex(number), False]) for number, _ in known])
        gone: list[Bytes32] = []
        final: list[Bytes32] = []
        looks_final: set[Bytes32] = set()
        for (number, block_hash), answer in zip(known, answers, strict=True):
            if answer is None or isinstance(answer, RpcError):
                continue  # This node does not know: that says nothing.
            if read_block(answer).hash != block_hash:
                gone.append(block_hash)
            elif number <= sight.final:
                # Final is for ever, and an answer may be an old one: two looks must agree.
                if block_hash in self._memory.looked_final:
                    final.append(block_hash)
                looks_final.add(block_hash)
        self._memory.looked_final = looks_final
        if gone or final:
            with lease.write() as connection:
                if gone:
                    back = ledger.reopen(connection, self.address, gone, self._clock())
                    log.warning("a reorganisation took %d blocks away; %d messages went back", len(gone), back)
                if final:
                    ledger.finalise(connection, self.address, final, self._clock())

    def _open_slots(self) -> list[Slot]:
        with self._storage.read() as connection:
            return ledger.slots(connection, self.address, NONCES.c.state == ledger.OPEN)

    def _find_inclusions(self, slots: Sequence[Slot], sight: Sight) -> list[Inclusion]:
        """Finds the transactions that are in blocks.

        Asking for each receipt is slow where blocks are full, so the logs of a block that holds one of ours tell of
        the others: every action logs something, and what reverted logs nothing and is asked for by itself.
        """
        wanted = {
            attempt.hash: (slot, attempt) for slot in slots if slot.nonce < sight.used for attempt in slot.attempts
        }
        found: list[Inclusion] = []
        while len(wanted) > FEW:
            first, (slot, attempt) = next(iter(wanted.items()))
            inclusion = _inclusion(slot, attempt, self._chain.request("eth_getTransactionReceipt", [str(first)]))
            if inclusion is None:
                break
            del wanted[first]
            found.append(inclusion)
            beside = self._transactions_that_logged(inclusion.block_hash) & wanted.keys()
            if not beside:
                break
            for logged in beside:
                slot, attempt = wanted.pop(logged)
                found.append(replace(inclusion, slot=slot, attempt=attempt, succeeded=True))
        answers: list[Any] = self._chain.batch([("eth_getTransactionReceipt", [str(one)]) for one in wanted])
        for (slot, attempt), answer in zip(wanted.values(), answers, strict=True):
            inclusion = _inclusion(slot, attempt, answer)
            if inclusion is not None:
                found.append(inclusion)
        return sorted(found, key=lambda inclusion: inclusion.slot.nonce)

    def _transactions_that_logged(self, block_hash: Bytes32) -> set[Bytes32]:
        """The transactions in a block whose call of our contracts had an effect."""
        contracts = [str(address) for address in self._deployment.addresses.values()]
        try:
            logs = self._chain.request("eth_getLogs", [{"blockHash": str(block_hash), "address": contracts}])
        except RpcError:
            return set()  # Not every node knows a block's logs by its hash, or at once.
        try:
            return {
                Bytes32.parse(log["transactionHash"]) for log in logs if Bytes32.parse(log["blockHash"]) == block_hash
            }
        except (TypeError, KeyError, InvalidInput) as error:
            raise ChainUnavailable("The node gave logs that cannot be read.") from error

    # What follows from it

    def _note(self, lease: Lease, sight: Sight, included: Sequence[Inclusion]) -> None:
        done = [inclusion for inclusion in included if inclusion.succeeded and not inclusion.attempt.is_fill]
        if done:
            with lease.write() as connection:
                ledger.record_outcomes(connection, self.address, [Outcome(one) for one in done], self._clock())
        for inclusion in included:
            if not inclusion.succeeded or inclusion.attempt.is_fill:
                outcome = self._judge(inclusion, sight)
                with lease.write() as connection:
                    ledger.record_outcomes(connection, self.address, [outcome], self._clock())
        for inclusion in included:
            self._forget(inclusion.slot)

    def _judge(self, inclusion: Inclusion, sight: Sight) -> Outcome:
        """What it means that a transaction reverted, or that only a filler is in the block."""
        slot = inclusion.slot
        if slot.receipt_seq is None:
            if slot.purpose == ledger.DEPLOY:
                log.error("the deployment with nonce %d reverted", slot.nonce)
            return Outcome(inclusion)
        with self._storage.read() as connection:
            message = ledger.message_of(connection, slot.receipt_seq)
            raw = ledger.raw_of(connection, [inclusion.attempt.hash])[inclusion.attempt.hash]
        block = BlockRef(inclusion.block_number, inclusion.block_hash, 0)
        effect = find_effect(self._chain, self._deployment, PROTOCOLS, message, block)
        if effect is not None:
            return Outcome(inclusion, effect=effect)
        if inclusion.attempt.is_fill:
            reason = self._memory.rejected.get(slot.nonce, "The node would not take the transaction.")
            return Outcome(inclusion, failure=Failure("Rejected", detail=reason))
        return Outcome(inclusion, failure=self._why(payload_of(raw), inclusion))

    def _why(self, payload: Payload, inclusion: Inclusion) -> Failure:
        """Why a transaction reverted: its call is carried out again on the state after its block, and before."""
        call = {
            "from": str(self.address),
            "to": str(payload.to),
            "gas": hex(payload.gas),
            "data": f"0x{payload.data.hex()}",
        }
        for height in (inclusion.block_number, inclusion.block_number - 1):
            try:
                simulate(self._chain, call, hex(height), refusals=PROTOCOLS.refusals)
            except ContractRefused as refused:
                return Failure.of(refused)
            except RpcError as error:
                log.warning("the node does not say why 0x%s reverted: %s", inclusion.attempt.hash.hex(), error)
        if inclusion.gas_used >= payload.gas:
            return Failure("OutOfGas", {"gas": payload.gas}, "The action needs more gas than its published cap.")
        return Failure("Reverted", {}, "The contract refused without saying why.")

    def _give_up_foreign(self, lease: Lease, slots: Sequence[Slot], sight: Sight) -> None:
        """A nonce that is used, but by none of our transactions, was used with this key elsewhere."""
        for slot in slots:
            if slot.nonce >= sight.used:
                self._memory.foreign.pop(slot.nonce, None)
                continue
            seen = self._memory.foreign[slot.nonce] = self._memory.foreign.get(slot.nonce, 0) + 1
            if seen >= FOREIGN_SIGHTINGS and self._is_used_for_good(slot, sight):
                log.error("nonce %d of %s was used by a transaction that is not ours", slot.nonce, self.address)
                with lease.write() as connection:
                    ledger.record_foreign(connection, self.address, slot)
                self._forget(slot)

    def _is_used_for_good(self, slot: Slot, sight: Sight) -> bool:
        if sight.final < 0:
            return False
        used = self._chain.request("eth_getTransactionCount", [str(self.address), hex(sight.final)])
        return isinstance(used, str) and int(used, 16) > slot.nonce

    # Signing

    def _sign_waiting(self, lease: Lease, sight: Sight, in_flight: int) -> int:
        room = min(self._settings.window - in_flight, SIGNED_AT_ONCE)
        if room <= 0:
            return 0
        with self._storage.read() as connection:
            items = ledger.waiting(connection, room)
        self._memory.unsigned = 0
        if not items:
            return 0
        items = self._without_expired(lease, items, sight)
        fees = self._offer(sight)
        cost = sum(item.payload.gas for item in items) * fees.maximum
        if cost > sight.balance:
            self._memory.unsigned = cost
            items = _affordable(items, fees, sight.balance)
        if not items or sight.is_syncing:
            return 0
        with lease.write() as connection:
            now = self._clock()
            first = max(ledger.next_nonce(connection, self.address), sight.used)
            signed = [
                (nonce, item, self._sign(nonce, item.payload, fees)) for nonce, item in enumerate(items, start=first)
            ]
            ledger.record_signed(connection, self.address, signed, fees, now)
        return len(items)

    def _without_expired(self, lease: Lease, items: list[Waiting], sight: Sight) -> list[Waiting]:
        """Fails the messages whose deadline the chain has passed: they were never sent and never will be."""
        expired = [item for item in items if item.deadline < sight.head.timestamp and item.status is Status.ACCEPTED]
        if not expired:
            return items
        for item in expired:
            with self._storage.read() as connection:
                message = ledger.message_of(connection, item.seq)
            effect = find_effect(self._chain, self._deployment, PROTOCOLS, message, sight.head)
            with lease.write() as connection:
                if effect is None:
                    ledger.record_expired(connection, item.seq, _expired(item, sight), self._clock())
                else:
                    ledger.record_done(connection, item.seq, effect, self._clock())
        return [item for item in items if item not in expired]

    def _offer(self, sight: Sight) -> Fees:
        return sight.prices.offer(self._settings.maximum_fee)

    def _sign(self, nonce: int, payload: Payload, fees: Fees) -> SignedTransaction:
        return self._signer.sign(self._deployment.chain_id, nonce, fees, payload)

    # Replacing

    def _replace(self, lease: Lease, slots: Sequence[Slot], sight: Sight) -> int:
        """Offers more for transactions that the chain passes over."""
        if sight.is_syncing or self._clock() - sight.head.timestamp > self._settings.stale_seconds:
            return 0
        wanted = self._offer(sight)
        replaced = 0
        for slot in slots:
            fill = slot.nonce in self._memory.rejected and not any(
                attempt.was_sent or attempt.is_fill for attempt in slot.attempts
            )
            if not fill and not self._is_stuck(slot, sight, is_first=slot is slots[0]):
                continue
            if slot.nonce in self._memory.unpaid:
                continue  # More money is needed for it already.
            fees = outbid(slot.latest.fees, wanted)
            if fees.maximum > self._settings.maximum_fee:
                log.error("nonce %d needs more than the highest fee that is allowed", slot.nonce)
                continue
            replaced += self._replace_one(lease, slot, fees, fill=fill or slot.latest.is_fill)
        return replaced

    def _is_stuck(self, slot: Slot, sight: Sight, *, is_first: bool) -> bool:
        sending = self._memory.sendings.get(slot.latest.hash)
        if sending is None or slot.nonce < sight.used:
            return False
        blocks = sight.head.number - sending.height
        waited = self._clock() - sending.at
        if slot.latest.fees.maximum < sight.prices.base_fee or slot.nonce in self._memory.underpriced:
            return blocks >= 1 or waited >= self._settings.resend_seconds
        # Only the first can be passed over; the others wait for it. And only a node that has it can pass it over.
        return (
            is_first
            and slot.latest.was_sent
            and blocks >= self._settings.stuck_blocks
            and waited >= self._settings.resend_seconds
        )

    def _replace_one(self, lease: Lease, slot: Slot, fees: Fees, *, fill: bool) -> int:
        with lease.write() as connection:
            if fill:
                payload = Payload(self.address, b"", TRANSACTION_GAS)
            else:
                payload = payload_of(ledger.raw_of(connection, [slot.latest.hash])[slot.latest.hash])
            transaction = self._sign(slot.nonce, payload, fees)
            ledger.record_replacement(connection, self.address, slot, transaction, fees, self._clock(), is_fill=fill)
        self._memory.underpriced.discard(slot.nonce)
        log.info("nonce %d is replaced, offering %d wei", slot.nonce, fees.maximum)
        return 1

    # Sending

    def _send(self, lease: Lease, slots: Sequence[Slot], sight: Sight) -> None:
        now = self._clock()
        due = [slot for slot in slots if self._is_due(slot, now)]
        for start in range(0, len(due), SENDS_A_POST):
            self._send_some(lease, due[start : start + SENDS_A_POST], sight)

    def _is_due(self, slot: Slot, now: float) -> bool:
        sending = self._memory.sendings.get(slot.latest.hash)
        # A clock that was set back must not keep us from sending.
        return sending is None or not 0 <= now - sending.at < self._settings.resend_seconds

    def _send_some(self, lease: Lease, due: Sequence[Slot], sight: Sight) -> None:
        attempts = [slot.latest for slot in due]
        with self._storage.read() as connection:
            raws = ledger.raw_of(connection, [attempt.hash for attempt in attempts])
        now = self._clock()
        for attempt in attempts:
            self._memory.sendings.setdefault(attempt.hash, _Sending(now, sight.head.number)).at = now
        answers = self._chain.batch(
            [("eth_sendRawTransaction", [f"0x{raws[attempt.hash].hex()}"]) for attempt in attempts]
        )
        taken: list[Slot] = []
        for slot, answer in zip(due, answers, strict=True):
            self._memory.unpaid.pop(slot.nonce, None)
            if not isinstance(answer, RpcError):
                taken.append(slot)
                continue
            match rejections.read(answer):
                case Rejection.KNOWN:
                    taken.append(slot)
                case Rejection.UNDERPRICED:
                    self._memory.underpriced.add(slot.nonce)
                case Rejection.UNFUNDED:
                    gas = payload_of(raws[slot.latest.hash]).gas
                    self._memory.unpaid[slot.nonce] = gas * slot.latest.fees.maximum
                case Rejection.PERMANENT:
                    log.error("the node will never take nonce %d: %s", slot.nonce, answer)
                    self._memory.rejected[slot.nonce] = f"The node would not take the transaction: {answer.message}."
                case Rejection.TEMPORARY:
                    log.warning("the node does not take nonce %d now: %s", slot.nonce, answer)
        news = [slot for slot in taken if not slot.latest.was_sent]
        if news:
            with lease.write() as connection:
                seqs = [slot.receipt_seq for slot in news if slot.receipt_seq is not None]
                ledger.record_sent(connection, [slot.latest for slot in news], seqs, self._clock())

    def _forget(self, slot: Slot) -> None:
        for attempt in slot.attempts:
            self._memory.sendings.pop(attempt.hash, None)
        for memory in (self._memory.rejected, self._memory.foreign, self._memory.unpaid):
            memory.pop(slot.nonce, None)
        self._memory.underpriced.discard(slot.nonce)


def _newest_tagged(answer: Any, head: BlockRef) -> int:
    if isinstance(answer, RpcError) or answer is None:
        return -1  # Nothing is final yet, or this node does not know the tag.
    return min(read_block(answer).number, head.number)


def _inclusion(slot: Slot, attempt: Attempt, answer: Any) -> Inclusion | None:
    if answer is None or isinstance(answer, RpcError):
        return None
    try:
        if answer["blockHash"] is None or Bytes32.parse(answer["transactionHash"]) != attempt.hash:
            return None
        return Inclusion(
            slot,
            attempt,
            block_number=int(answer["blockNumber"], 16),
            block_hash=Bytes32.parse(answer["blockHash"]),
            succeeded=int(answer["status"], 16) == 1,
            gas_used=int(answer["gasUsed"], 16),
        )
    except (TypeError, KeyError, ValueError, InvalidInput) as error:
        raise ChainUnavailable("The node gave a receipt that cannot be read.") from error


def _expired(item: Waiting, sight: Sight) -> Failure:
    return Failure(
        "DeadlinePassed",
        {"deadline": item.deadline, "blockTimestamp": sight.head.timestamp},
        "The message's deadline passed before it could be sent.",
        "Sign it again with a later deadline.",
    )


def _affordable(items: Sequence[Waiting], fees: Fees, balance: int) -> list[Waiting]:
    """As many of the first as the balance pays for, should they all cost the most they may."""
    chosen: list[Waiting] = []
    for item in items:
        balance -= item.payload.gas * fees.maximum
        if balance < 0:
            break
        chosen.append(item)
    return chosen
