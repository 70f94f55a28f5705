"""Receipts of writes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from registry.base.primitives import Bytes32
from registry.sdk.models.result import Bool, Height, Result

Status = Literal["accepted", "signed", "sent", "mined", "final", "failed"]


class Failure(Result):
    """Why an accepted write had no effect.

    Attributes:
        error: The name of the Solidity error, if a contract refused.
        values: The arguments of that error.
        detail: The reason as a sentence.
    """

    error: str | None = None
    values: dict[str, Any] = Field(default_factory=dict)
    detail: str = ""


class SubjectRef(Result):
    """What a write is about.

    Attributes:
        kind: For example dataset.
        id: Its id.
    """

    kind: str
    id: Bytes32


class Receipt(Result):
    """The durable answer to a write.

    Attributes:
        id: Identifies the receipt.
        action: What was done, for example register.
        status: accepted, signed, sent, mined, final or failed.
        subject: What the write is about.
        transaction_hash: The transaction, once it is sent.
        block_number: The block that it is in, once it is mined.
        failure: Why it failed; None if it did not.
        already_done: Whether an earlier write had the same effect.
    """

    id: str
    action: str
    status: Status
    subject: SubjectRef
    transaction_hash: Bytes32 | None = None
    block_number: Height | None = None
    failure: Failure | None = None
    already_done: Bool = False
