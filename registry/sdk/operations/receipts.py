"""Sending signed messages, and reading their receipts."""

from __future__ import annotations

import re

from registry.ethereum.eip712 import Message
from registry.sdk.exchange import Operation, Request
from registry.sdk.models.receipts import Receipt
from registry.sdk.models.result import Json
from registry.sdk.operations.parts import model, query_of, segment
from registry.sdk.signing import Signed

MARGIN_SECONDS = 10.0


def send(signed: Signed[Message], members: Json | None = None, *, idempotency_key: str) -> Operation[Receipt]:
    """Return the operation that sends a signed message. With the same key it may be repeated.

    Args:
        signed: The message with its signature.
        members: What else the gateway takes with this message, as further members of the body; or None.
        idempotency_key: A text that no other message is sent with.
    """
    body = {**(members or {}), **signed.body()}
    headers = {"idempotency-key": idempotency_key}
    return Operation(Request("POST", path_of(signed.message), body=body, headers=headers), model(Receipt))


def receipt(receipt_id: str, *, wait: int = 0, until_final: bool = False) -> Operation[Receipt]:
    """Return the operation that reads a receipt.

    Args:
        receipt_id: The receipt's id.
        wait: For how many seconds the gateway may wait until the write is mined or failed; 30 at most.
        until_final: Whether it waits until the write is final or failed.
    """
    query = query_of(wait=wait or None, until="final" if until_final else None)
    path = f"/v1/receipts/{segment(receipt_id)}"
    return Operation(Request("GET", path, query, timeout=wait + MARGIN_SECONDS), model(Receipt))


def path_of(message: Message) -> str:
    """Return the path that a message is sent to: its `PATH` with the id of its subject."""
    return re.sub(r"\{\w+\}", str(message.subject.id), message.PATH)
