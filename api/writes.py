"""Accept signed messages: the only way in, for every kind of message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Header, Response
from pydantic.alias_generators import to_camel

from api import answers
from api.bodies import Submission
from api.deps import NodeDep, in_write_thread
from api.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    LARGE,
    LIMIT,
    MALFORMED,
    MEDIA,
    NOT_FOUND,
    SLOW,
    Kind,
    documented,
    invalid,
)
from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.base.times import require_near
from registry.ethereum.eip712 import Signable
from registry.node import Node
from registry.relay.intake import Write
from registry.relay.prepared import IdempotencyKey, prepare
from registry.relay.receipts import Receipt

RETRY_SECONDS: Final = 1

_FULL: Final = Kind("storage-full", 507, "No space is left", "")

REFUSALS: Final = (MALFORMED, FORBIDDEN, NOT_FOUND, SLOW, CONFLICT, LARGE, MEDIA, INVALID, LIMIT)
"""The kinds of problems with which a message or a statement can be refused."""

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Accepted and stored; it will end `final` or `failed`.",
        "headers": {
            "Location": {"description": "The receipt.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
        },
    },
    **documented(*REFUSALS, _FULL),
}


WRITE: Final[dict[str, Any]] = {"status_code": 202, "response_model": answers.Receipt, "responses": _RESPONSES}
"""The description of a route that takes a message."""


class MessageIntake:
    """Takes signed messages in for one request.

    Args:
        node: The node.
        idempotency_key: The client's key, if it gave one.
    """

    def __init__(
        self,
        node: NodeDep,
        idempotency_key: Annotated[
            str | None,
            Header(
                min_length=1,
                max_length=255,
                pattern=r"^[!-~]+$",
                description="Chosen by the client, so that it can repeat a request whose answer was lost.",
            ),
        ] = None,
    ) -> None:
        self.node = node
        self._key = idempotency_key

    async def take(
        self,
        body: Submission[Any],
        subject_id: Bytes32 | None = None,
        *,
        first: Callable[[], None] | None = None,
        admission: Write | None = None,
        also: Callable[[], Write | None] | None = None,
        documents: tuple[str, ...] = (),
    ) -> Response:
        """Accept a message and return its receipt. A room passes in its rules beyond the contract's.

        Args:
            body: The message and its signature.
            subject_id: The id that the path names, if it names one.
            first: Refuses a new message before its simulation, which takes a hundred times as long.
            admission: Checks a new message in the transaction that stores its receipt.
            also: Checks the documents sent with the message, and returns what stores them in the same transaction.
            documents: The names of the documents, to which the idempotency key is bound.

        Raises:
            ContractRefused: The contract would refuse the message.
            Refused: The path names another subject, or a time is not in seconds.
        """
        check_path(body.message, subject_id)
        check_times(self.node, body)
        key = None if self._key is None else IdempotencyKey(self._key, documents)
        receipt = await in_write_thread(
            lambda: _submit(self.node, body, key, first=first, admission=admission, also=also)
        )
        return _accepted(self.node, receipt)


MessageIntakeDep = Annotated[MessageIntake, Depends(MessageIntake)]


def check_path(message: Signable, subject_id: Bytes32 | None) -> None:
    """Require that a message is about the subject that the path names.

    Raises:
        Refused: It is about another subject.
    """
    if subject_id is not None and message.subject.id != subject_id:
        field = to_camel(message.PATH.partition("{")[2].partition("}")[0])
        raise invalid(f"body.message.{field}", f"it is {message.subject.id}, but the path names {subject_id}")


def check_times(node: Node, body: Submission[Any]) -> None:
    """Require that times are in seconds: a signature for the year 58,000 would never expire.

    Raises:
        Refused: A time is implausibly far ahead.
    """
    message = body.message
    for name in ("starts_at", "expires_at", "deadline"):
        try:
            require_near(getattr(message, name, 0), now=node.clock(), name="It")
        except InvalidInput as error:
            field = type(message).model_fields[name].alias
            raise invalid(f"body.message.{field}", error.message, hint=error.hint) from None


def _submit(
    node: Node,
    body: Submission[Any],
    key: IdempotencyKey | None,
    *,
    first: Callable[[], None] | None,
    admission: Write | None,
    also: Callable[[], Write | None] | None,
) -> Receipt:
    prepared = prepare(body.message, body.signature_bytes, node.deployment, node.rooms.protocols)
    receipt = node.receiver.submit(prepared, key=key, first=first, admission=admission, also=also)
    node.wake()
    return receipt


def _accepted(node: Node, receipt: Receipt) -> Response:
    headers = {"Location": f"/v1/receipts/{receipt.id}", "Retry-After": str(RETRY_SECONDS)}
    return Response(orjson.dumps(receipt.to_json(node.rooms.protocols)), 202, headers, "application/json")
