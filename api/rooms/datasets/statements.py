"""Statements about datasets, signed by their owners, off the chain: each is checked, then kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from api.bodies import Submission
from api.deps import in_write_thread
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
    documented,
)
from api.writes import check_path, check_times
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.node import Node
from registry.rooms.datasets import acceptance
from registry.rooms.datasets.acceptance import AnyDatasetStatement
from registry.statements.store import Accepted

RESPONSES: Final[dict[int | str, dict[str, Any]]] = documented(
    MALFORMED, FORBIDDEN, NOT_FOUND, SLOW, CONFLICT, LARGE, MEDIA, INVALID, LIMIT
)


def accept(
    node: Node, statement: AnyDatasetStatement, signature: bytes, registrant: Address | None = None
) -> Accepted[AnyDatasetStatement]:
    """Check a statement by the time of `now`.

    Args:
        node: The node.
        statement: The statement.
        signature: Its signature.
        registrant: The owner by the registration that it comes with, where the dataset may not exist yet.

    Raises:
        ContractRefused: It was not signed by the owner, or its deadline has passed.
    """
    per_hour = node.settings.max_statements_per_hour
    return acceptance.accept(node.chain, node.deployment, statement, signature, now(node), per_hour, registrant)


def now(node: Node) -> float:
    """Return the chain's time, or this machine's where the chain's is not known."""
    return node.chain_time() or node.clock()


async def decide(
    node: Node,
    dataset_id: DatasetId,
    body: Submission[Any],
    keep: Callable[[Any, Accepted[Any]], None],
    check: Callable[[float], None] | None = None,
) -> None:
    """Check a statement and keep what it decides.

    Args:
        node: The node.
        dataset_id: The id that the path names.
        body: The statement and its signature.
        keep: Keeps it, in a transaction that writes.
        check: Refuses it by the time of `now`, before its signature is looked at.

    Raises:
        ContractRefused: It was not signed by the owner, or its deadline has passed.
        Refused: It is about another dataset, a time is not in seconds, or `check` refused.
    """
    check_path(body.message, Bytes32(dataset_id))
    check_times(node, body)

    def work() -> None:
        if check is not None:
            check(now(node))
        accepted = accept(node, body.message, body.signature_bytes)
        with node.storage.write() as connection:
            keep(connection, accepted)

    await in_write_thread(work)
