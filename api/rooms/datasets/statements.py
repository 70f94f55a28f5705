"""Statements about datasets, signed by their owners, off the chain: each is checked, then stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import Response

from api.bodies import Submission
from api.deps import in_write_thread
from api.problems import documented
from api.writes import REFUSALS, check_path, check_times
from registry.base.primitives import Address, DatasetId
from registry.node import Node
from registry.relay.intake import Write
from registry.rooms.datasets import acceptance
from registry.rooms.datasets.acceptance import AnyDatasetStatement
from registry.statements.store import Accepted

RESPONSES: Final[dict[int | str, dict[str, Any]]] = documented(*REFUSALS)


def accept(
    node: Node, statement: AnyDatasetStatement, signature: bytes, registrant: Address | None = None
) -> Accepted[AnyDatasetStatement]:
    """Check a statement by the time of `now`.

    Args:
        node: The node.
        statement: The statement.
        signature: Its signature.
        registrant: The owner by the registration sent with it, if the dataset may not exist yet.

    Raises:
        ContractRefused: It was not signed by the owner, or its deadline has passed.
    """
    per_hour = node.settings.max_statements_per_hour
    return acceptance.accept(node.chain, node.deployment, statement, signature, now(node), per_hour, registrant)


def now(node: Node) -> float:
    """Return the chain's time, or this machine's if the chain's is unknown."""
    return node.chain_time() or node.clock()


async def take_statement(
    node: Node,
    dataset_id: DatasetId,
    body: Submission[Any],
    checked: Callable[[], Write],
    answer: Callable[[], Response],
) -> Response:
    """Check a statement, store its effect, and answer.

    Args:
        node: The node.
        dataset_id: The id that the path names.
        body: The statement and its signature.
        checked: Check the statement, as `accept` does, and return what stores it; called in a thread.
        answer: Return the answer once it is stored.

    Raises:
        ContractRefused: It was not signed by the owner, or its deadline has passed.
        Refused: It is about another dataset, a time is not in seconds, or `checked` refused.
    """
    check_path(body.message, dataset_id)
    check_times(node, body)

    def work() -> Response:
        write = checked()
        with node.storage.write() as connection:
            write(connection)
        node.wake()
        return answer()

    return await in_write_thread(work)
