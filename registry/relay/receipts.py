"""Receipts: the durable answers to accepted messages, and the statuses they pass through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import orjson
from sqlalchemy import ColumnElement, Connection, RowMapping, select

from registry.base.errors import ContractRefused, NotFound
from registry.base.primitives import Address, Bytes32
from registry.base.subject import Subject
from registry.base.times import iso_milliseconds
from registry.relay.tables import RECEIPTS
from registry.rooms.protocol import Protocols
from registry.storage.engine import Storage


class Status(StrEnum):
    """The status of a message. `failed` and `final` never change."""

    ACCEPTED = "accepted"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    FINAL = "final"
    FAILED = "failed"


SETTLED = (Status.MINED, Status.FINAL, Status.FAILED)
"""The statuses in which the message is decided on the chain."""

FOLLOWS: Mapping[Status, tuple[Status, ...]] = {
    Status.ACCEPTED: (Status.MINED,),
    Status.SIGNED: (Status.ACCEPTED,),
    Status.SENT: (Status.SIGNED, Status.MINED),
    Status.MINED: (Status.SENT, Status.SIGNED, Status.ACCEPTED),
    Status.FINAL: (Status.MINED,),
    Status.FAILED: (Status.ACCEPTED, Status.MINED),
}
"""The statuses from which each is reached.

The usual order is accepted, signed, sent, mined, final. A transaction may be found in a block before its sending was
recorded (signed, mined). A message that had already taken effect is mined at once, without a transaction. Only a
reorganisation of the chain leads back: from mined to sent, or to accepted if there was no transaction. A refusal is
provisional while its block can still be reorganised: mined with a failure, and failed once the block is final.
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a message did not take effect.

    Args:
        error: The name of the Solidity error, or one of the relayer's own: ``OutOfGas``, ``Rejected``, ``Reverted``.
        values: The error's values by name.
        detail: One sentence for readers.
        hint: What to do about it; may be empty.
    """

    error: str
    values: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""
    hint: str = ""

    @classmethod
    def of(cls, refused: ContractRefused) -> Self:
        """Return the failure for a contract's refusal."""
        return cls(refused.name, refused.values, refused.message, refused.hint)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the failure from the serialised form of its `to_json`."""
        return cls(**orjson.loads(text))

    def to_json(self) -> dict[str, object]:
        """Return the failure as JSON."""
        return {"error": self.error, "values": dict(self.values), "detail": self.detail, "hint": self.hint}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The current answer to one accepted message.

    Args:
        id: The public id: 32 hex digits.
        seq: Its position in the order of acceptance.
        kind: The name of the message's Solidity struct.
        status: The message's status.
        subject: The subject of the message.
        digest: The EIP-712 digest that was signed.
        signer: The account that signed, if the signature alone shows it; None otherwise.
        accepted_at: When it was accepted, Unix seconds.
        updated_at: When its status last changed, Unix seconds.
        transaction_hash: The transaction that carried out the message or reverted, if it is in a block.
        block_number: That transaction's block.
        block_hash: The same block's hash.
        failure: Why the message did not take effect, or None; provisional while the status is `mined`.
        already_done: Whether a transaction of another account carried it out first.
    """

    id: str
    seq: int
    kind: str
    status: Status
    subject: Subject
    digest: Bytes32
    signer: Address | None
    accepted_at: float
    updated_at: float
    transaction_hash: Bytes32 | None
    block_number: int | None
    block_hash: Bytes32 | None
    failure: Failure | None
    already_done: bool

    @property
    def is_settled(self) -> bool:
        """Whether the message is decided on the chain."""
        return self.status in SETTLED

    @property
    def is_closed(self) -> bool:
        """Whether it will never change again."""
        return self.status in (Status.FINAL, Status.FAILED)

    def to_json(self, protocols: Protocols) -> dict[str, Any]:
        """Return the receipt as the gateway shows it.

        Args:
            protocols: The offline halves of the rooms, which know the message's function: the receipt's `action`.
        """
        return {
            "id": self.id,
            "action": protocols.messages[self.kind].FUNCTION,
            "status": self.status.value,
            "subject": self.subject.to_json(),
            "signer": None if self.signer is None else str(self.signer),
            "digest": str(self.digest),
            "acceptedAt": iso_milliseconds(self.accepted_at),
            "updatedAt": iso_milliseconds(self.updated_at),
            "transactionHash": None if self.transaction_hash is None else str(self.transaction_hash),
            "blockNumber": self.block_number,
            "blockHash": None if self.block_hash is None else str(self.block_hash),
            "failure": None if self.failure is None else self.failure.to_json(),
            "alreadyDone": self.already_done,
        }


_COLUMNS = (
    RECEIPTS.c.id,
    RECEIPTS.c.seq,
    RECEIPTS.c.kind,
    RECEIPTS.c.status,
    RECEIPTS.c.subject_kind,
    RECEIPTS.c.subject_id,
    RECEIPTS.c.digest,
    RECEIPTS.c.signer,
    RECEIPTS.c.accepted_at,
    RECEIPTS.c.updated_at,
    RECEIPTS.c.transaction_hash,
    RECEIPTS.c.block_number,
    RECEIPTS.c.block_hash,
    RECEIPTS.c.failure,
    RECEIPTS.c.already_done,
)


def read_receipt(storage: Storage, receipt_id: str) -> Receipt:
    """Return the receipt with an id.

    Raises:
        NotFound: No receipt has this id.
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        receipt = find_receipt(connection, RECEIPTS.c.id == receipt_id)
    if receipt is None:
        raise NotFound(f"There is no receipt {receipt_id[:80]}.")
    return receipt


def find_receipt(connection: Connection, condition: ColumnElement[bool]) -> Receipt | None:
    """Return the newest receipt that fulfils a condition, or None."""
    newest = select(*_COLUMNS).where(condition).order_by(RECEIPTS.c.seq.desc()).limit(1)
    row = connection.execute(newest).mappings().one_or_none()
    return None if row is None else _receipt(row)


def _receipt(row: RowMapping) -> Receipt:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    values["subject"] = Subject(values.pop("subject_kind"), values.pop("subject_id"))
    values["status"] = Status(values["status"])
    values["failure"] = None if values["failure"] is None else Failure.from_json(values["failure"])
    return Receipt(**values)
