"""Accept messages. A message is acknowledged if and only if it is in the database.

The order of checks keeps invalid messages cheap and leaves no trace of them: first an existing receipt; then deadline,
signature and state, by simulating the transaction on the chain; then the attached documents; last the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from registry.base.errors import ContractRefused, Unavailable
from registry.base.primitives import ZERO_ADDRESS, Address
from registry.chain.calls import simulate
from registry.chain.client import Chain, RpcError
from registry.ethereum.logs import Moment
from registry.ethereum.refusals import RefusalTable
from registry.relay.already_done import find_done, require_signed_by
from registry.relay.authority import has_code, owner_of, required_signer
from registry.relay.budgets import Charge, spend
from registry.relay.fees import Fees
from registry.relay.intake import Write, accept, find
from registry.relay.patience import patient
from registry.relay.prepared import IdempotencyKey, PreparedTransaction
from registry.relay.receipts import Receipt
from registry.relay.tables import RECEIPTS
from registry.relay.terms import Terms, no_wallets
from registry.rooms.deployment import Deployment
from registry.rooms.room import Rooms
from registry.storage.engine import Storage


@dataclass(frozen=True, slots=True)
class MessageReceiver:
    """The receiver of messages: it simulates them on the chain and accepts them. May be used from any thread.

    Args:
        chain: The chain.
        storage: The database.
        deployment: The contracts.
        rooms: The rooms.
        relayer: Returns the account that will send the messages.
        clock: Returns the Unix time in seconds.
        terms: The terms on which messages are relayed; None if gas is free.
    """

    chain: Chain
    storage: Storage
    deployment: Deployment
    rooms: Rooms
    relayer: Callable[[], Address]
    clock: Callable[[], float]
    terms: Terms | None = None

    def submit(
        self,
        prepared: PreparedTransaction,
        *,
        key: IdempotencyKey | None = None,
        first: Callable[[], None] | None = None,
        admission: Write | None = None,
        also: Callable[[], Write | None] | None = None,
    ) -> Receipt:
        """Simulate a message on the chain and accept it. The same message, key, or effect has one receipt.

        Args:
            prepared: The message, prepared by `prepare`.
            key: The client's idempotency key, if it gave one.
            first: A check of new messages that is cheaper than a simulation.
            admission: Checks, in the database transaction that stores the receipt, whether this gateway relays the
                message. Not called for a message that already has a receipt or has taken effect.
            also: Checks the attached documents and returns a function that stores them in the same transaction. Called
                only when signature and deadline are known to be valid.

        Raises:
            Conflict: The key was used for another message.
            ContractRefused: The contract would refuse the message; nothing was accepted.
            InvalidInput: A contract wallet signed and the terms exclude those, or its code takes too long.
            LimitReached: The message would use more gas than the terms allow.
            RegistryError: `first`, `admission` or `also` refused.
            Unavailable: The chain or the database cannot be used. As far as is known, nothing was accepted.
        """
        receipt = find(self.storage, prepared, key)
        if receipt is not None:
            return self._again(prepared, receipt, also)
        if first is not None:
            first()
        checks = [] if admission is None else [admission]
        done: Moment | None = None
        try:
            prepared = self._rehearse(prepared, checks)
        except ContractRefused as refused:
            # It may have been sent already: by another request, or in a transaction of another account.
            receipt = find(self.storage, prepared, key)
            if receipt is not None:
                return self._again(prepared, receipt, also)
            done = find_done(self.chain, self.storage, self.deployment, self.rooms, prepared, refused)
            checks = []
        return self._accept(prepared, key, done, checks, None if also is None else also())

    def _accept(
        self,
        prepared: PreparedTransaction,
        key: IdempotencyKey | None,
        done: Moment | None,
        checks: list[Write],
        write: Write | None,
    ) -> Receipt:
        """Store a message that was rehearsed, or whose effect is there, with what came with it."""
        try:
            return accept(self.storage, prepared, self.clock(), key=key, done=done, admission=checks, also=write)
        except Unavailable:
            # A failed commit may still have been carried out; only the database can tell.
            receipt = find(self.storage, prepared, key)
            if receipt is None:
                raise
            return _keep(self.storage, receipt, write)

    def _again(
        self, prepared: PreparedTransaction, receipt: Receipt, also: Callable[[], Write | None] | None
    ) -> Receipt:
        """Return the receipt of a message that was accepted before; store the documents attached this time."""
        self._require_same_signer(prepared, receipt)
        return _keep(self.storage, receipt, None if also is None else also())

    def _rehearse(self, prepared: PreparedTransaction, checks: list[Write]) -> PreparedTransaction:
        """Return the message with the form of signature that the contract accepts; add its charges to `checks`."""
        fees = None if self.terms is None else self.terms.price()
        relayer, refusals = self.relayer(), self.rooms.protocols.refusals
        try:
            preflight(self.chain, relayer, prepared, refusals, fees)
        except ContractRefused as refused:
            if refused.name != "SignatureNotBySigner" or prepared.given == prepared.signature:
                raise
            prepared = prepared.as_given()
            preflight(self.chain, relayer, prepared, refusals, fees)
        if self.terms is not None and fees is not None and fees.maximum:
            checks += self._charges(prepared, self.terms)
        return prepared

    def _charges(self, prepared: PreparedTransaction, terms: Terms) -> list[Write]:
        """Return functions that charge a simulated message to the budgets; none if there are no budgets.

        Raises:
            InvalidInput: A contract wallet signed, and the terms exclude those.
            ChainUnavailable: No usable answer came.
        """
        message, now = prepared.message, self.clock()
        signer = self.rooms.protocols.named_signer(message)
        owner = signer
        if signer is None or message.IS_OPEN:
            # The simulation succeeded, so there is an owner, unless the chain has changed since.
            owner = owner_of(self.chain, self.deployment, self.rooms, message.subject) or ZERO_ADDRESS
        signer, owner = signer or owner or ZERO_ADDRESS, owner or ZERO_ADDRESS
        if not terms.contract_wallets and has_code(self.chain, signer):
            raise no_wallets(signer, prepared)
        if terms.budgets is None:
            return []
        charge = Charge(prepared, signer, owner, is_newcomer=terms.is_newcomer(signer, now))
        return [partial(spend, budgets=terms.budgets, charge=charge, now=now)]

    def _require_same_signer(self, prepared: PreparedTransaction, receipt: Receipt) -> None:
        """Require that this signature of a previously accepted message is valid too; it may be a different one."""
        if prepared.signer is not None and prepared.signer == receipt.signer:
            return
        with self.storage.read() as connection:
            kept = connection.execute(select(RECEIPTS.c.calldata).where(RECEIPTS.c.seq == receipt.seq)).scalar_one()
        if bytes(kept) in (prepared.calldata, prepared.as_given().calldata):
            return
        signer = required_signer(self.chain, self.deployment, self.rooms, prepared.message)
        require_signed_by(self.chain, signer or ZERO_ADDRESS, prepared)


def _keep(storage: Storage, receipt: Receipt, write: Write | None) -> Receipt:
    if write is not None:
        with storage.write() as connection:
            write(connection)
    return receipt


def preflight(
    chain: Chain, relayer: Address, prepared: PreparedTransaction, refusals: RefusalTable, fees: Fees | None = None
) -> None:
    """Simulate the transaction on the chain's newest state.

    Args:
        chain: The chain.
        relayer: The account that will send it.
        prepared: The message to send.
        refusals: The errors with which the contracts refuse.
        fees: The fees that the transaction will offer, because code may depend on the price; None if gas is free.

    Raises:
        ContractRefused: The contract would refuse it.
        InvalidInput: It takes the embedded chain too long.
        Unavailable: The relayer cannot pay for it, or no usable answer came.
        RpcError: The node refused for another reason.
    """
    call = {
        "from": str(relayer),
        "to": str(prepared.contract),
        "gas": hex(prepared.gas),
        "data": f"0x{prepared.calldata.hex()}",
    }
    if fees is not None and fees.maximum:
        call |= fees.to_json()
    try:
        with patient():
            simulate(chain, call, refusals=refusals)
    except RpcError as error:
        if fees is None or "insufficient funds" not in error.message.lower():
            raise
        raise Unavailable(
            f"The relayer {relayer} does not have the {prepared.gas * fees.maximum} wei that this message may cost.",
            hint="The gateway's operator must fund the account. Nothing was accepted.",
        ) from error
