"""Accepting messages: what is acknowledged is in the database, and what is not in the database is not acknowledged.

In this order, so that a stranger costs little and leaves nothing: the receipt that the message has already; deadline,
signature and state, by a rehearsal on the chain; the documents that came with it; the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256

import orjson
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from registry.base.errors import Conflict, ContractRefused, Unavailable
from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32, DatasetId
from registry.chain.calls import simulate
from registry.chain.client import Chain, RpcError
from registry.ethereum.logs import Moment
from registry.relay.already_done import HasOwned, find_done, require_signed_by
from registry.relay.authority import has_code, named_signer, owner_of
from registry.relay.budgets import Charge, spend
from registry.relay.fees import Fees
from registry.relay.patience import patient
from registry.relay.receipts import Receipt, Status, find_receipt
from registry.relay.submission import IdempotencyKey, Submission, prepare
from registry.relay.tables import ATTEMPTS, IDEMPOTENCY_KEYS, NONCES, RECEIPTS
from registry.relay.terms import Terms, no_wallets
from registry.rooms.datasets.messages import Registration
from registry.rooms.deployment import Deployment
from registry.rooms.protocols import PROTOCOLS
from registry.storage.engine import Storage
from registry.storage.insert import insert_if_new

__all__ = ["IdempotencyKey", "Submission", "Write", "accept", "find", "preflight", "prepare", "submit"]

Write = Callable[[Connection], None]
"""Writes more in the database transaction that keeps the receipt."""

_ID_BYTES = 16


def _only_present_owners(dataset_id: DatasetId, account: Address) -> bool:
    return False


def submit(
    submission: Submission,
    *,
    chain: Chain,
    storage: Storage,
    deployment: Deployment,
    relayer: Address,
    clock: Callable[[], float],
    key: IdempotencyKey | None = None,
    first: Callable[[], None] | None = None,
    admission: Write | None = None,
    also: Callable[[], Write | None] | None = None,
    has_owned: HasOwned = _only_present_owners,
    terms: Terms | None = None,
) -> Receipt:
    """Rehearse a message on the chain and accept it. The same message, key, or effect has one receipt.

    Args:
        submission: From `prepare`.
        chain: The chain.
        storage: The database.
        deployment: The contracts.
        relayer: The account that will send it.
        clock: Gives the Unix time in seconds.
        key: The client's idempotency key, if it gave one.
        first: Refuses a new message for less than a rehearsal costs.
        admission: Checks that this gateway takes the message on, in the transaction that keeps its receipt. It is not
            called for a message that has a receipt or its effect already: nothing more is relayed for it.
        also: Checks what came with the message, for example its documents, and gives what writes it in the same
            database transaction. Called only once signature and deadline are known to be good.
        has_owned: Says whether an account is known to have owned a dataset at some time.
        terms: At what price, for whom and how much is relayed; None: gas costs nothing.

    Raises:
        Conflict: The key was used for another message.
        ContractRefused: The contract would refuse the message; nothing was accepted.
        InvalidInput: An account with code signed, and the terms exclude those; or its code takes too long to judge.
        LimitReached: It would use more gas than the terms allow.
        Unavailable: The chain or the database cannot be used; nothing was accepted, as far as is known.
    """
    known = find(storage, submission, key)
    done: Moment | None = None
    checks = [] if admission is None else [admission]
    if known is None:
        if first is not None:
            first()
        try:
            fees = None if terms is None else terms.price()
            submission = _rehearsed(chain, relayer, submission, fees)
            if terms is not None and fees is not None and fees.maximum:
                checks += _spending(chain, deployment, submission, terms, clock())
        except ContractRefused as refused:
            # It may have been sent before: by another request, or by somebody else's transaction.
            known = find(storage, submission, key)
            if known is None:
                done = find_done(chain, deployment, submission, refused, has_owned)
                checks = []
    if known is not None:
        _require_same_signer(chain, storage, deployment, submission, known)
    write = None if also is None else also()
    if known is not None:
        return _again(storage, known, write)
    try:
        return accept(storage, submission, clock(), key=key, done=done, admission=checks, also=write)
    except Unavailable:
        # A commit that failed may have been carried out all the same: only the database knows.
        known = find(storage, submission, key)
        if known is None:
            raise
        return _again(storage, known, write)


def _again(storage: Storage, known: Receipt, also: Write | None) -> Receipt:
    """Return the receipt of a message that was accepted before; what comes with it this time is kept too."""
    if also is not None:
        with storage.write() as connection:
            also(connection)
    return known


def _rehearsed(chain: Chain, relayer: Address, submission: Submission, fees: Fees | None) -> Submission:
    """Return the submission with the form of its signature that the contract takes."""
    try:
        preflight(chain, relayer, submission, fees)
    except ContractRefused as refused:
        if refused.name != "SignatureNotBySigner" or submission.given == submission.signature:
            raise
        submission = submission.as_given()
        preflight(chain, relayer, submission, fees)
    return submission


def _spending(chain: Chain, deployment: Deployment, submission: Submission, terms: Terms, now: float) -> list[Write]:
    """Return what charges a rehearsed message to the budgets; nothing where there are none.

    Raises:
        InvalidInput: An account with code signed, and the terms exclude those.
        ChainUnavailable: No usable answer came.
    """
    message = submission.message
    named = named_signer(message)
    owner = (
        message.owner
        if isinstance(message, Registration)
        else owner_of(chain, deployment, DatasetId(message.subject.id))
    )
    signer = named or owner or ZERO_ADDRESS  # Rehearsed, so there is an owner, unless the chain changed meanwhile.
    if not terms.contract_wallets and has_code(chain, signer):
        raise no_wallets(signer, submission)
    if terms.budgets is None:
        return []
    charge = Charge(submission, signer, owner or ZERO_ADDRESS, is_newcomer=terms.is_newcomer(signer, now))
    return [partial(spend, budgets=terms.budgets, charge=charge, now=now)]


def _require_same_signer(
    chain: Chain, storage: Storage, deployment: Deployment, submission: Submission, known: Receipt
) -> None:
    """Require of a message that was accepted before that this signature is good too, though it may be another."""
    if submission.signer is not None and submission.signer == known.signer:
        return
    with storage.read() as connection:
        kept = connection.execute(select(RECEIPTS.c.calldata).where(RECEIPTS.c.seq == known.seq)).scalar_one()
    if bytes(kept) in (submission.calldata, submission.as_given().calldata):
        return
    message = submission.message
    signer = named_signer(message) or owner_of(chain, deployment, DatasetId(message.subject.id))
    require_signed_by(chain, signer or ZERO_ADDRESS, submission)


def preflight(chain: Chain, relayer: Address, submission: Submission, fees: Fees | None = None) -> None:
    """Carry the very transaction out on the chain's newest state, without keeping its effect.

    Args:
        chain: The chain.
        relayer: The account that will send it.
        submission: What it will send.
        fees: What it will offer: code that sees another price may do something else. None: nothing.

    Raises:
        ContractRefused: The contract would refuse it.
        InvalidInput: It takes the embedded chain too long.
        Unavailable: The relayer cannot pay for it, or no usable answer came.
        RpcError: The node refused for a reason of its own.
    """
    call = {
        "from": str(relayer),
        "to": str(submission.contract),
        "gas": hex(submission.gas),
        "data": f"0x{submission.calldata.hex()}",
    }
    if fees is not None and fees.maximum:
        call |= fees.to_json()
    try:
        with patient():
            simulate(chain, call, refusals=PROTOCOLS.refusals)
    except RpcError as error:
        if fees is None or "insufficient funds" not in error.message.lower():
            raise
        raise Unavailable(
            f"The relayer {relayer} does not have the {submission.gas * fees.maximum} wei that this message may cost.",
            hint="Its operator has to send it ether. Nothing was accepted.",
        ) from error


def find(storage: Storage, submission: Submission, key: IdempotencyKey | None = None) -> Receipt | None:
    """The receipt that a message or its key has already, or None.

    Raises:
        Conflict: The key was used for another message.
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        return _find(connection, submission, key)


def accept(
    storage: Storage,
    submission: Submission,
    now: float,
    *,
    key: IdempotencyKey | None = None,
    done: Moment | None = None,
    admission: Sequence[Write] = (),
    also: Write | None = None,
) -> Receipt:
    """Writes the receipt, in one database transaction. Once this returns, the message will not be lost.

    Args:
        storage: The database.
        submission: From `prepare`; not looked at again.
        now: Unix seconds.
        key: The client's idempotency key, if it gave one.
        done: Where the message has had its effect already, if it has.
        admission: Checks that a message that is new here is taken on, and charges it to the budgets, in the same
            transaction.
        also: Writes more in the same transaction.

    Raises:
        Conflict: The key was used for another message.
        LimitReached: A budget does not cover it.
        RegistryError: `admission` or `also` refused.
        Unavailable: The database cannot be used. The transaction may have been committed all the same.
    """
    message = submission.message
    values: dict[str, object] = {
        "id": secrets.token_hex(_ID_BYTES),
        "status": Status.ACCEPTED,
        "kind": type(message).__name__,
        "message": orjson.dumps(message.to_json()).decode(),
        "dataset_id": DatasetId(message.subject.id),
        "digest": submission.digest,
        "signer": submission.signer,
        "contract": submission.contract,
        "calldata": submission.calldata,
        "gas": submission.gas,
        "deadline": message.deadline,
        "accepted_at": now,
        "updated_at": now,
        "already_done": done is not None,
    }
    if done is not None:
        values |= {
            "status": Status.MINED,
            "transaction_hash": done.transaction_hash,
            "block_number": done.block_number,
            "block_hash": done.block_hash,
            "effect": _effect(done),
        }
    with storage.write() as connection:
        known = _find(connection, submission, key)
        if known is None and done is not None:
            known = _receipt_of_effect(connection, done)
            if known is not None:
                return known
        if known is None:
            connection.execute(insert_if_new(connection, RECEIPTS).values(values))
            known = find_receipt(connection, _accepted(submission))
            if known is None and done is not None:
                known = _receipt_of_effect(connection, done)
            if known is None:
                raise Unavailable("The database did not keep what was written to it.")
            for check in admission if known.id == values["id"] else ():
                check(connection)
        if key is not None:
            connection.execute(
                insert_if_new(connection, IDEMPOTENCY_KEYS).values(
                    scope=_scope(submission), key=key.key, receipt_seq=known.seq, body=key.body(submission)
                )
            )
            known = _find(connection, submission, key) or known
        if also is not None:
            also(connection)
    return known


def _find(connection: Connection, submission: Submission, key: IdempotencyKey | None) -> Receipt | None:
    if key is not None:
        used = connection.execute(
            select(IDEMPOTENCY_KEYS.c.receipt_seq, IDEMPOTENCY_KEYS.c.body).where(
                IDEMPOTENCY_KEYS.c.scope == _scope(submission), IDEMPOTENCY_KEYS.c.key == key.key
            )
        ).one_or_none()
        receipt = None if used is None else find_receipt(connection, RECEIPTS.c.seq == used.receipt_seq)
        if used is not None and receipt is not None:
            same = receipt.digest == submission.digest if used.body is None else used.body == key.body(submission)
            if not same:
                raise Conflict(
                    "This idempotency key was used for another body.", hint="Choose a new key for each request."
                )
            return receipt
    return find_receipt(connection, _accepted(submission))


def _accepted(submission: Submission) -> ColumnElement[bool]:
    """The receipts that keep a message from being accepted again: all but those of failures that cost nothing.

    A transaction that failed was paid for, and its message would fail again: the receipt says why.
    """
    paid_for = RECEIPTS.c.transaction_hash.is_not(None)
    return and_(RECEIPTS.c.digest == submission.digest, or_(RECEIPTS.c.status != Status.FAILED, paid_for))


def _effect(done: Moment) -> Bytes32:
    return Bytes32(sha256(b"%b%d" % (done.transaction_hash, done.log_index)).digest())


def _receipt_of_effect(connection: Connection, done: Moment) -> Receipt | None:
    """The receipt of an effect: of the message that the relayer sent itself, or that was answered for it before."""
    by_relayer = (
        select(NONCES.c.receipt_seq)
        .join_from(ATTEMPTS, NONCES, and_(ATTEMPTS.c.relayer == NONCES.c.relayer, ATTEMPTS.c.nonce == NONCES.c.nonce))
        .where(ATTEMPTS.c.transaction_hash == done.transaction_hash)
    )
    known = find_receipt(connection, RECEIPTS.c.seq.in_(by_relayer))
    return known or find_receipt(connection, RECEIPTS.c.effect == _effect(done))


def _scope(submission: Submission) -> str:
    """Whose idempotency keys these are: a stranger's key must not get in the way of another's."""
    return str(submission.signer or submission.message.subject.id)
