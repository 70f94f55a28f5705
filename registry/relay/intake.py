"""Store an accepted message: its receipt, its idempotency key, and the attached documents."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import orjson
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from registry.base.errors import Conflict, Unavailable
from registry.base.primitives import Bytes32
from registry.ethereum.logs import Moment
from registry.relay.prepared import IdempotencyKey, PreparedTransaction
from registry.relay.receipts import Receipt, Status, find_receipt
from registry.relay.tables import ATTEMPTS, IDEMPOTENCY_KEYS, NONCES, RECEIPTS
from registry.storage.engine import Storage
from registry.storage.insert import insert_if_new

Write = Callable[[Connection], None]
"""A function that writes more in the database transaction that stores the receipt."""

_ID_BYTES: Final = 16


def find(storage: Storage, prepared: PreparedTransaction, key: IdempotencyKey | None = None) -> Receipt | None:
    """Return the existing receipt of a message or its key, or None.

    Raises:
        Conflict: The key was used for another message.
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        return _find(connection, prepared, key)


def accept(
    storage: Storage,
    prepared: PreparedTransaction,
    now: float,
    *,
    key: IdempotencyKey | None = None,
    done: Moment | None = None,
    admission: Sequence[Write] = (),
    also: Write | None = None,
) -> Receipt:
    """Write the receipt of a message in one database transaction. Once this returns, the message will not be lost.

    Args:
        storage: The database.
        prepared: The message; it is not checked again.
        now: Unix seconds.
        key: The client's idempotency key, if it gave one.
        done: When and where the message took effect, if it already has.
        admission: Checks of new messages in the same transaction, and charges for them.
        also: Writes more in the same transaction.

    Returns:
        A new receipt, or the existing receipt of the message, key or effect.

    Raises:
        Conflict: The key was used for another message.
        LimitReached: A budget does not cover it.
        RegistryError: `admission` or `also` refused.
        Unavailable: The database cannot be used. The transaction may still have been committed.
    """
    with storage.write() as connection:
        receipt = _find(connection, prepared, key)
        if receipt is None and done is not None:
            receipt = _receipt_of_effect(connection, done)
            if receipt is not None:
                return receipt
        if receipt is None:
            receipt, is_new = _insert(connection, prepared, done, now)
            for check in admission if is_new else ():
                check(connection)
        if key is not None:
            connection.execute(
                insert_if_new(connection, IDEMPOTENCY_KEYS).values(
                    scope=_scope(prepared), key=key.key, receipt_seq=receipt.seq, body=key.body(prepared)
                )
            )
            receipt = _find(connection, prepared, key) or receipt
        if also is not None:
            also(connection)
    return receipt


def _insert(
    connection: Connection, prepared: PreparedTransaction, done: Moment | None, now: float
) -> tuple[Receipt, bool]:
    """Insert a receipt, unless a concurrent transaction did so; return the receipt and whether it is new."""
    values = _values(prepared, done, now)
    connection.execute(insert_if_new(connection, RECEIPTS).values(values))
    receipt = find_receipt(connection, _accepted(prepared))
    if receipt is None and done is not None:
        receipt = _receipt_of_effect(connection, done)
    if receipt is None:
        raise Unavailable("The database does not contain the receipt that was just written.")
    return receipt, receipt.id == values["id"]


def _values(prepared: PreparedTransaction, done: Moment | None, now: float) -> dict[str, object]:
    message = prepared.message
    values: dict[str, object] = {
        "id": secrets.token_hex(_ID_BYTES),
        "status": Status.ACCEPTED,
        "kind": type(message).__name__,
        "message": orjson.dumps(message.to_json()).decode(),
        "subject_kind": message.subject.kind,
        "subject_id": message.subject.id,
        "digest": prepared.digest,
        "signer": prepared.signer,
        "contract": prepared.contract,
        "calldata": prepared.calldata,
        "gas": prepared.gas,
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
    return values


def _find(connection: Connection, prepared: PreparedTransaction, key: IdempotencyKey | None) -> Receipt | None:
    if key is not None:
        used = connection.execute(
            select(IDEMPOTENCY_KEYS.c.receipt_seq, IDEMPOTENCY_KEYS.c.body).where(
                IDEMPOTENCY_KEYS.c.scope == _scope(prepared), IDEMPOTENCY_KEYS.c.key == key.key
            )
        ).one_or_none()
        receipt = None if used is None else find_receipt(connection, RECEIPTS.c.seq == used.receipt_seq)
        if used is not None and receipt is not None:
            same = receipt.digest == prepared.digest if used.body is None else used.body == key.body(prepared)
            if not same:
                raise Conflict(
                    "This idempotency key was used for another body.", hint="Choose a new key for each request."
                )
            return receipt
    return find_receipt(connection, _accepted(prepared))


def _accepted(prepared: PreparedTransaction) -> ColumnElement[bool]:
    """Return the condition for receipts that prevent a message from being accepted again.

    These are all receipts except those of failures without a transaction. A message whose transaction failed was paid
    for and would fail again; its receipt gives the reason.
    """
    paid_for = RECEIPTS.c.transaction_hash.is_not(None)
    return and_(RECEIPTS.c.digest == prepared.digest, or_(RECEIPTS.c.status != Status.FAILED, paid_for))


def _effect(done: Moment) -> Bytes32:
    return Bytes32(sha256(b"%b%d" % (done.transaction_hash, done.log_index)).digest())


def _receipt_of_effect(connection: Connection, done: Moment) -> Receipt | None:
    """Return the receipt of an effect: of a message that the relayer sent, or of one accepted as already done."""
    by_relayer = (
        select(NONCES.c.receipt_seq)
        .join_from(ATTEMPTS, NONCES, and_(ATTEMPTS.c.relayer == NONCES.c.relayer, ATTEMPTS.c.nonce == NONCES.c.nonce))
        .where(ATTEMPTS.c.transaction_hash == done.transaction_hash)
    )
    existing = find_receipt(connection, RECEIPTS.c.seq.in_(by_relayer))
    return existing or find_receipt(connection, RECEIPTS.c.effect == _effect(done))


def _scope(prepared: PreparedTransaction) -> str:
    """Return the scope of a client's idempotency keys: keys of different clients must not collide."""
    return str(prepared.signer or prepared.message.subject.id)
