"""The relayer's reads from and writes to the database. Each write leaves the tables consistent.

The functions run in the caller's transaction. Functions that write need a transaction opened by `Lease.write`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, func, insert, or_, select, update

from registry.base.primitives import Address, Bytes32
from registry.ethereum.eip712 import Message
from registry.ethereum.logs import Moment
from registry.relay.fees import Fees
from registry.relay.model import FILL, FINAL, FOREIGN, MESSAGE, MINED, OPEN, Attempt, NonceSlot, Outcome, PendingMessage
from registry.relay.receipts import FOLLOWS, Failure, Status
from registry.relay.signing import Payload, SignedTransaction
from registry.relay.tables import ATTEMPTS, NONCES, RECEIPTS
from registry.rooms.protocol import Protocols


def slots(connection: Connection, relayer: Address, condition: ColumnElement[bool]) -> list[NonceSlot]:
    """Return the nonces of a relayer that fulfil a condition, in ascending order."""
    rows = connection.execute(
        select(
            NONCES.c.nonce,
            NONCES.c.purpose,
            NONCES.c.receipt_seq,
            ATTEMPTS.c.number,
            ATTEMPTS.c.transaction_hash,
            ATTEMPTS.c.maximum_fee,
            ATTEMPTS.c.priority_fee,
            ATTEMPTS.c.is_fill,
            ATTEMPTS.c.sent_at,
        )
        .join_from(NONCES, ATTEMPTS)
        .where(NONCES.c.relayer == relayer, condition)
        .order_by(NONCES.c.nonce, ATTEMPTS.c.number)
    )
    by_nonce: dict[int, NonceSlot] = {}
    for nonce, purpose, seq, number, transaction_hash, maximum, priority, is_fill, sent_at in rows:
        attempt = Attempt(nonce, number, transaction_hash, Fees(maximum, priority), is_fill, sent_at is not None)
        before = by_nonce[nonce].attempts if nonce in by_nonce else ()
        by_nonce[nonce] = NonceSlot(nonce, purpose, seq, (*before, attempt))
    return list(by_nonce.values())


def next_nonce(connection: Connection, relayer: Address) -> int:
    """Return the nonce after the highest that is recorded; 0 for the first."""
    highest = connection.execute(select(func.max(NONCES.c.nonce)).where(NONCES.c.relayer == relayer)).scalar_one()
    return 0 if highest is None else int(highest) + 1


def waiting(connection: Connection, limit: int) -> list[PendingMessage]:
    """Return the messages that have no nonce yet, in the order of acceptance."""
    has_nonce = select(NONCES.c.nonce).where(NONCES.c.receipt_seq == RECEIPTS.c.seq).exists()
    rows = connection.execute(
        select(
            RECEIPTS.c.seq,
            RECEIPTS.c.contract,
            RECEIPTS.c.calldata,
            RECEIPTS.c.gas,
            RECEIPTS.c.deadline,
            RECEIPTS.c.status,
        )
        .where(RECEIPTS.c.status.in_((Status.ACCEPTED, Status.SIGNED, Status.SENT)), ~has_nonce)
        .order_by(RECEIPTS.c.seq)
        .limit(limit)
    )
    return [
        PendingMessage(seq, Payload(contract, data, gas), deadline, Status(status))
        for seq, contract, data, gas, deadline, status in rows
    ]


def message_of(connection: Connection, protocols: Protocols, seq: int) -> Message:
    """Return the message of a receipt."""
    kind, message = connection.execute(select(RECEIPTS.c.kind, RECEIPTS.c.message).where(RECEIPTS.c.seq == seq)).one()
    return protocols.parse(kind, orjson.loads(message))


def raw_of(connection: Connection, hashes: Sequence[Bytes32]) -> dict[Bytes32, bytes]:
    """Return the bytes of transactions by their hashes."""
    raws: dict[Bytes32, bytes] = {}
    for start in range(0, len(hashes), 500):
        rows = connection.execute(
            select(ATTEMPTS.c.transaction_hash, ATTEMPTS.c.raw).where(
                ATTEMPTS.c.transaction_hash.in_(hashes[start : start + 500])
            )
        )
        raws |= {transaction_hash: bytes(raw) for transaction_hash, raw in rows}
    return raws


def mined_blocks(connection: Connection, relayer: Address) -> list[tuple[int, Bytes32]]:
    """Return the non-final blocks with transactions of the relayer or effects of messages, in ascending order."""
    of_nonces: Select[Any] = select(NONCES.c.block_number, NONCES.c.block_hash).where(
        NONCES.c.relayer == relayer, NONCES.c.state == MINED
    )
    of_receipts: Select[Any] = select(RECEIPTS.c.block_number, RECEIPTS.c.block_hash).where(
        RECEIPTS.c.status == Status.MINED
    )
    return sorted((number, block_hash) for number, block_hash in connection.execute(of_nonces.union(of_receipts)))


def record_signed(
    connection: Connection,
    relayer: Address,
    signed: Sequence[tuple[int, PendingMessage, SignedTransaction]],
    fees: Fees,
    now: float,
) -> None:
    """Record the nonces of messages with their transactions."""
    if not signed:
        return
    connection.execute(
        insert(NONCES),
        [
            {"relayer": relayer, "nonce": nonce, "purpose": MESSAGE, "receipt_seq": item.seq, "state": OPEN}
            for nonce, item, _ in signed
        ],
    )
    connection.execute(
        insert(ATTEMPTS),
        [_attempt(relayer, nonce, 1, transaction, fees, now, is_fill=False) for nonce, _, transaction in signed],
    )
    move(connection, [item.seq for _, item, _ in signed if item.status is Status.ACCEPTED], Status.SIGNED, now)


def record_other(
    connection: Connection,
    relayer: Address,
    nonce: int,
    purpose: str,
    transaction: SignedTransaction,
    fees: Fees,
    now: float,
    *,
    contract: str | None = None,
) -> None:
    """Record a nonce that carries no message: it is used for a deployment or a filler."""
    connection.execute(
        insert(NONCES).values(relayer=relayer, nonce=nonce, purpose=purpose, contract=contract, state=OPEN)
    )
    connection.execute(
        insert(ATTEMPTS).values(_attempt(relayer, nonce, 1, transaction, fees, now, is_fill=purpose == FILL))
    )


def record_replacement(
    connection: Connection,
    relayer: Address,
    slot: NonceSlot,
    transaction: SignedTransaction,
    fees: Fees,
    now: float,
    *,
    is_fill: bool,
) -> None:
    """Record another attempt of a nonce."""
    connection.execute(
        insert(ATTEMPTS).values(
            _attempt(relayer, slot.nonce, slot.latest.number + 1, transaction, fees, now, is_fill=is_fill)
        )
    )


def record_sent(connection: Connection, attempts: Sequence[Attempt], seqs: Sequence[int], now: float) -> None:
    """Record that a node accepted these transactions."""
    fresh = [{"sent_hash": attempt.hash, "now": now} for attempt in attempts if not attempt.was_sent]
    if fresh:
        connection.execute(_NOTE_SENT, fresh)
    move(connection, seqs, Status.SENT, now)


def record_outcomes(connection: Connection, relayer: Address, outcomes: Sequence[Outcome], now: float) -> None:
    """Record that nonces are in blocks, with the outcomes of their messages."""
    if not outcomes:
        return
    connection.execute(
        _NOTE_MINED,
        [
            {
                "account": relayer,
                "number": outcome.inclusion.slot.nonce,
                "hash": outcome.inclusion.attempt.hash,
                "height": outcome.inclusion.block_number,
                "block": outcome.inclusion.block_hash,
            }
            for outcome in outcomes
        ],
    )
    settled = []
    for outcome in outcomes:
        inclusion, effect = outcome.inclusion, outcome.effect
        if inclusion.slot.receipt_seq is None:
            continue
        settled.append(
            {
                "receipt": inclusion.slot.receipt_seq,
                "now": now,
                "hash": effect.transaction_hash if effect else inclusion.attempt.hash,
                "height": effect.block_number if effect else inclusion.block_number,
                "block": effect.block_hash if effect else inclusion.block_hash,
                "why": None if outcome.failure is None else orjson.dumps(outcome.failure.to_json()).decode(),
                "done": effect is not None,
            }
        )
    if settled:
        connection.execute(_SETTLE, settled)


def record_expired(connection: Connection, seq: int, failure: Failure, now: float) -> None:
    """Record the failure of a message that was never signed."""
    move(connection, [seq], Status.FAILED, now, failure=orjson.dumps(failure.to_json()).decode())


def record_done(connection: Connection, seq: int, effect: Moment, now: float) -> None:
    """Record that a message without a nonce took effect by a transaction of another account."""
    move(
        connection,
        [seq],
        Status.MINED,
        now,
        transaction_hash=effect.transaction_hash,
        block_number=effect.block_number,
        block_hash=effect.block_hash,
        already_done=True,
    )


def oldest_unmined(connection: Connection) -> float | None:
    """Return when the oldest message that is in no block was accepted, Unix seconds; None if all are in blocks."""
    open_statuses = (Status.ACCEPTED, Status.SIGNED, Status.SENT)
    oldest: float | None = connection.execute(
        select(func.min(RECEIPTS.c.accepted_at)).where(RECEIPTS.c.status.in_(open_statuses))
    ).scalar_one()
    return oldest


def record_foreign(connection: Connection, relayer: Address, slot: NonceSlot) -> None:
    """Record that a transaction of another program used a nonce; its message will get another nonce."""
    connection.execute(
        update(NONCES)
        .where(NONCES.c.relayer == relayer, NONCES.c.nonce == slot.nonce, NONCES.c.state == OPEN)
        .values(purpose=FOREIGN, state=FINAL, receipt_seq=None)
    )


def reopen(connection: Connection, relayer: Address, block_hashes: Sequence[Bytes32], now: float) -> int:
    """Undo the records of blocks that are no longer on the chain.

    Returns:
        The number of messages that returned to an earlier status.
    """
    connection.execute(
        update(NONCES)
        .where(NONCES.c.relayer == relayer, NONCES.c.state == MINED, NONCES.c.block_hash.in_(block_hashes))
        .values(state=OPEN, transaction_hash=None, block_number=None, block_hash=None)
    )
    # A message that another transaction carried out goes back if either that transaction's block or its own is gone.
    open_nonce = select(NONCES.c.nonce).where(NONCES.c.receipt_seq == RECEIPTS.c.seq, NONCES.c.state == OPEN).exists()
    any_nonce = select(NONCES.c.nonce).where(NONCES.c.receipt_seq == RECEIPTS.c.seq).exists()
    gone = RECEIPTS.c.block_hash.in_(block_hashes)
    cleared: dict[str, object] = {
        "updated_at": now,
        "transaction_hash": None,
        "block_number": None,
        "block_hash": None,
        "failure": None,
        "already_done": False,
    }
    back = connection.execute(
        update(RECEIPTS)
        .where(RECEIPTS.c.status == Status.MINED, any_nonce, gone | open_nonce)
        .values(status=Status.SENT, **cleared)
    ).rowcount
    back += connection.execute(
        update(RECEIPTS)
        .where(RECEIPTS.c.status == Status.MINED, ~any_nonce, gone)
        .values(status=Status.ACCEPTED, **cleared)
    ).rowcount
    # If only the block of the effect is gone, our own transaction is checked again.
    orphans = select(RECEIPTS.c.seq).where(RECEIPTS.c.status == Status.SENT)
    connection.execute(
        update(NONCES)
        .where(NONCES.c.relayer == relayer, NONCES.c.state == MINED, NONCES.c.receipt_seq.in_(orphans))
        .values(state=OPEN, transaction_hash=None, block_number=None, block_hash=None)
    )
    return back


def finalise(connection: Connection, relayer: Address, block_hashes: Sequence[Bytes32], now: float) -> None:
    """Record that blocks are final: their messages become final or fail permanently."""
    mined = (NONCES.c.relayer == relayer, NONCES.c.state == MINED, NONCES.c.block_hash.in_(block_hashes))
    own = select(NONCES.c.receipt_seq).where(*mined, NONCES.c.receipt_seq.is_not(None))
    any_nonce = select(NONCES.c.nonce).where(NONCES.c.receipt_seq == RECEIPTS.c.seq).exists()
    connection.execute(
        update(RECEIPTS)
        .where(
            RECEIPTS.c.status == Status.MINED,
            RECEIPTS.c.seq.in_(own) | (~any_nonce & RECEIPTS.c.block_hash.in_(block_hashes)),
        )
        .values(
            status=case((RECEIPTS.c.failure.is_(None), Status.FINAL), else_=Status.FAILED),
            updated_at=now,
        )
    )
    connection.execute(update(NONCES).where(*mined).values(state=FINAL))


def move(connection: Connection, seqs: Iterable[int], status: Status, now: float, **values: object) -> None:
    """Set the status of those receipts whose current status allows it."""
    parameters = [{"receipt": seq} for seq in seqs]
    if parameters:
        connection.execute(
            update(RECEIPTS)
            .where(RECEIPTS.c.seq == bindparam("receipt"), _may_become(status))
            .values(status=status, updated_at=now, **values),
            parameters,
        )


def _may_become(status: Status) -> ColumnElement[bool]:
    # Not an IN: a list cannot be expanded in a statement that is executed for many rows.
    return or_(*(RECEIPTS.c.status == before for before in FOLLOWS[status]))


def _attempt(
    relayer: Address, nonce: int, number: int, transaction: SignedTransaction, fees: Fees, now: float, *, is_fill: bool
) -> dict[str, object]:
    return {
        "relayer": relayer,
        "nonce": nonce,
        "number": number,
        "transaction_hash": transaction.hash,
        "is_fill": is_fill,
        "maximum_fee": fees.maximum,
        "priority_fee": fees.priority,
        "raw": transaction.raw,
        "signed_at": now,
    }


_NOTE_SENT = (
    update(ATTEMPTS)
    .where(ATTEMPTS.c.transaction_hash == bindparam("sent_hash"), ATTEMPTS.c.sent_at.is_(None))
    .values(sent_at=bindparam("now"))
)
_NOTE_MINED = (
    update(NONCES)
    .where(NONCES.c.relayer == bindparam("account"), NONCES.c.nonce == bindparam("number"), NONCES.c.state == OPEN)
    .values(
        state=MINED,
        transaction_hash=bindparam("hash"),
        block_number=bindparam("height"),
        block_hash=bindparam("block"),
    )
)
_SETTLE = (
    update(RECEIPTS)
    .where(RECEIPTS.c.seq == bindparam("receipt"), _may_become(Status.MINED))
    .values(
        status=Status.MINED,
        updated_at=bindparam("now"),
        transaction_hash=bindparam("hash"),
        block_number=bindparam("height"),
        block_hash=bindparam("block"),
        failure=bindparam("why"),
        already_done=bindparam("done"),
    )
)
