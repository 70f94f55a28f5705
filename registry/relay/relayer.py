"""The relayer: brings accepted messages into blocks and follows them until they are final.

All its state is in the database and on the chain. A crash or an error may interrupt a step anywhere; the next step, in
this process or another, continues from there. A transaction is stored before it is first sent. The same bytes are sent
again until they are in a block. Results are recorded together with the block's hash.

Transactions are sent in the order of their nonces, which is the order of acceptance. Therefore a message always follows
the messages that it depends on, also after a reorganisation of the chain.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from registry.base.errors import RegistryError, Unavailable
from registry.base.primitives import Address
from registry.chain.client import Chain
from registry.chain.finality import FinalityRule
from registry.relay import ledger
from registry.relay.context import RelayContext
from registry.relay.funding import FundingWatch, Shortage
from registry.relay.lease import Lease, LeaseLost, take
from registry.relay.memory import RelayMemory
from registry.relay.model import OPEN, NonceSlot
from registry.relay.observe import ChainView, find_inclusions, look
from registry.relay.replace import plan_replacements
from registry.relay.settings import RelaySettings
from registry.relay.settle import give_up_foreign, settle_blocks, settle_inclusions
from registry.relay.signing import Signer
from registry.relay.submit import send, sign_pending, sign_replacement
from registry.relay.tables import NONCES
from registry.rooms.deployment import Deployment
from registry.rooms.protocol import Protocols
from registry.storage.engine import Storage

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 10.0
LONGEST_PAUSE: Final = 5.0


class Relayer:
    """A relayer with one key. If several are started for a key, one of them works and the others wait.

    Args:
        chain: The chain.
        storage: The database.
        signer: The key.
        deployment: The contracts.
        settings: The relayer's settings.
        protocols: The offline halves of the rooms.
        holder: The name under which the key is leased. A process that restarts with the same name gets the key at once.
            Therefore only one process at a time may use a name, for example the one that has locked its data folder.
        clock: Returns the Unix time in seconds.
    """

    def __init__(
        self,
        chain: Chain,
        storage: Storage,
        signer: Signer,
        deployment: Deployment,
        settings: RelaySettings,
        *,
        protocols: Protocols,
        holder: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        finality = FinalityRule.of(settings.finality)
        self._context = RelayContext(chain, storage, signer, deployment, protocols, settings, finality, clock)
        self._funding = FundingWatch(signer.address, deployment.chain_id)
        self._holder = holder
        self._lease: Lease | None = None
        self._renewed_at = 0.0
        self._watched_at = 0.0
        self._memory = RelayMemory()
        self._wake = threading.Event()

    @property
    def address(self) -> Address:
        """The relaying account."""
        return self._context.address

    @property
    def shortage(self) -> Shortage | None:
        """The shortage of funds that stops the relayer, or soon will; None if there is none."""
        return self._funding.shortage

    @property
    def holds_lease(self) -> bool:
        """Whether this relayer holds the lease, as far as it knows."""
        return self._lease is not None

    def wake(self) -> None:
        """End the current pause, because there is a new message. May be called from any thread."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then release the key. Log errors of chain and database, and retry."""
        poll_seconds = self._context.settings.poll_seconds
        pause = 0.0
        while not stop.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            if stop.is_set():
                break
            try:
                pause = 0.0 if self.step() else poll_seconds
            except LeaseLost as error:
                log.warning("%s", error)
                self._lease = None
                pause = poll_seconds
            except RegistryError as error:
                log.warning("the relayer will retry: %s", error)
                pause = min(max(2 * pause, poll_seconds), LONGEST_PAUSE)
        self.close()

    def close(self) -> None:
        """Release the key, so that another relayer can take it at once."""
        lease, self._lease = self._lease, None
        if lease is not None:
            try:
                lease.release()
            except Unavailable as error:
                log.warning("the relayer's lease could not be released and remains until it expires: %s", error)

    def step(self) -> bool:
        """Do everything that can be done now.

        Returns:
            Whether there was progress. If so, the next step can follow at once.

        Raises:
            LeaseLost: Another relayer has taken over the key.
            Unavailable: The chain or the database cannot be used now.
            RpcError: The node refused.
        """
        lease = self._hold()
        if lease is None:
            return False
        context, memory = self._context, self._memory
        view = look(context.chain, context.address, context.finality)
        settle_blocks(context, lease, view, memory)
        slots = self._open_slots()
        included = find_inclusions(context.chain, context.deployment, slots, view)
        settle_inclusions(context, lease, memory, included)
        gone = {inclusion.slot.nonce for inclusion in included}
        slots = [slot for slot in slots if slot.nonce not in gone]
        give_up_foreign(context, lease, view, memory, slots)
        replaced = self._replace(lease, view, slots)
        signed = sign_pending(context, lease, view, memory, len(slots))
        if replaced or signed:
            slots = self._open_slots()
        send(context, lease, view, memory, slots)
        self._watch(view)
        return bool(included or signed)

    def _hold(self) -> Lease | None:
        """Take the lease, or renew it; return None where another relayer holds it."""
        storage, settings, clock = self._context.storage, self._context.settings, self._context.clock
        if self._lease is None:
            self._lease = take(storage, self.address, self._holder, settings.lease_seconds)
            self._memory = RelayMemory()
            self._renewed_at = clock()
        elif not 0 <= clock() - self._renewed_at < settings.lease_seconds / 3:
            self._lease.renew(settings.lease_seconds)
            self._renewed_at = clock()
        return self._lease

    def _open_slots(self) -> list[NonceSlot]:
        with self._context.storage.read() as connection:
            return ledger.slots(connection, self.address, NONCES.c.state == OPEN)

    def _replace(self, lease: Lease, view: ChainView, slots: Sequence[NonceSlot]) -> bool:
        """Offer more for stuck transactions; return whether there are any."""
        plan = plan_replacements(slots, view, self._memory, self._context.settings, self._context.clock())
        for nonce in plan.too_costly:
            log.error("the transaction with nonce %d needs more than the highest fee allowed", nonce)
        for replacement in plan.replacements:
            sign_replacement(self._context, lease, self._memory, replacement)
        return bool(plan.replacements)

    def _watch(self, view: ChainView) -> None:
        """Log an error when the published bound is exceeded or funds run short."""
        settings = self._context.settings
        if not view.is_syncing:  # A node that has not caught up does not know the balance.
            price = view.prices.offer(settings.maximum_fee).maximum
            self._funding.look(view.balance, price, due=self._memory.due)
        now = self._context.clock()
        if 0 <= now - self._watched_at < WATCH_SECONDS:
            return
        self._watched_at = now
        with self._context.storage.read() as connection:
            oldest = ledger.oldest_unmined(connection)
        if oldest is not None and now - oldest > settings.bound_seconds:
            log.error(
                "the bound of %.0f s from accepted to mined is exceeded: the oldest message has waited for %.0f s",
                settings.bound_seconds,
                now - oldest,
            )
