"""Accepting signed messages: the one way in, whatever the message."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import Header, Response

from api.bodies import Submission, VersionSubmission
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
from api.publications import documents_of
from registry.base.errors import InvalidInput
from registry.base.primitives import DatasetId
from registry.base.times import require_near
from registry.ethereum.eip712 import Message
from registry.node import Node
from registry.relay.intake import IdempotencyKey, Write, prepare, submit
from registry.relay.receipts import Receipt
from registry.rooms.access.messages import AccessRequest
from registry.rooms.access.request_limits import limiting, require_room

RETRY_SECONDS: Final = 1

_FULL: Final = Kind("storage-full", 507, "No space is left", "")

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Accepted: it is kept, and will end `final` or `failed`.",
        "headers": {
            "Location": {"description": "The receipt.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
        },
    },
    **documented(MALFORMED, FORBIDDEN, NOT_FOUND, SLOW, CONFLICT, LARGE, MEDIA, INVALID, LIMIT, _FULL),
}


class Intake:
    """Takes messages in for one request.

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
                description="Chosen by the client, so that it may repeat a request whose answer was lost.",
            ),
        ] = None,
    ) -> None:
        self._node = node
        self._key = idempotency_key

    async def take(self, body: Submission[Any], dataset_id: DatasetId | None = None) -> Response:
        """Accepts a message that is not about content.

        Args:
            body: The message and its signature.
            dataset_id: The dataset that the path names.
        """
        _check_path(body, dataset_id)
        check_times(self._node, body)
        key = None if self._key is None else IdempotencyKey(self._key)
        first = partial(_require_room, self._node, body.message)
        return _accepted(await in_write_thread(lambda: _submit(self._node, body, key, first=first)))

    async def version(self, body: VersionSubmission[Any], dataset_id: DatasetId | None = None) -> Response:
        """Accept a message that makes a version, and keep its documents in the same database transaction."""
        _check_path(body, dataset_id)
        check_times(self._node, body)
        if body.publication is not None:
            check_times(self._node, body.publication)
        if body.names and body.publication is None:
            raise invalid(
                f"body.{body.names[0]}",
                "documents need the owner's signed word that they may be public",
                hint="Sign a Publication that names them and send it as `publication`, or send no documents.",
            )
        key = None if self._key is None else IdempotencyKey(self._key, body.names)
        also = None if body.publication is None else partial(documents_of, self._node, body, body.publication)
        return _accepted(await in_write_thread(lambda: _submit(self._node, body, key, also=also)))


def _check_path(body: Submission[Any], dataset_id: DatasetId | None) -> None:
    if dataset_id is not None and body.message.dataset_id != dataset_id:
        raise invalid("body.message.datasetId", f"it is {body.message.dataset_id}, but the path names {dataset_id}")


def check_times(node: Node, body: Submission[Any]) -> None:
    """Refuse times in another unit than seconds; a signature for the year 58,000 would be good for ever."""
    message = body.message
    for name in ("starts_at", "expires_at", "deadline"):
        try:
            require_near(getattr(message, name, 0), now=node.clock(), name="It")
        except InvalidInput as error:
            field = type(message).model_fields[name].alias
            raise invalid(f"body.message.{field}", error.message, hint=error.hint) from None


def _admission(node: Node, message: Message) -> Write | None:
    """Return what must hold, besides the contract's rules, when a message is taken on."""
    return limiting(message, node.settings.max_open_requests) if isinstance(message, AccessRequest) else None


def _require_room(node: Node, message: Message) -> None:
    """Refuse a request that would be one too many before the chain rehearses it: that takes a hundred times as long."""
    if isinstance(message, AccessRequest):
        with node.storage.read() as connection:
            require_room(connection, message, node.settings.max_open_requests)


def _submit(
    node: Node,
    body: Submission[Any],
    key: IdempotencyKey | None,
    *,
    first: Callable[[], None] | None = None,
    also: Callable[[], Write | None] | None = None,
) -> Receipt:
    receipt = submit(
        prepare(body.message, body.signature_bytes, node.deployment),
        chain=node.chain,
        storage=node.storage,
        deployment=node.deployment,
        relayer=node.sender(),
        clock=node.clock,
        key=key,
        first=first,
        admission=_admission(node, body.message),
        also=also,
        has_owned=partial(node.rooms.ownership("dataset").has_owned, node.storage),
        terms=node.terms,
    )
    node.wake()
    return receipt


def _accepted(receipt: Receipt) -> Response:
    headers = {"Location": f"/v1/receipts/{receipt.id}", "Retry-After": str(RETRY_SECONDS)}
    return Response(orjson.dumps(receipt.to_json()), 202, headers, "application/json")
