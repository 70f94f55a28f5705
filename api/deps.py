"""What routes ask for: the node, and threads to wait in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from registry.node import Node

Result = TypeVar("Result")

THREADS: Final = 12
"""How many requests may wait for the database or the chain at once. Fewer than the database has connections."""

_limiter = CapacityLimiter(THREADS)


def node_of(request: Request) -> Node:
    """The node that the app serves."""
    node: Node = request.app.state.node
    return node


async def _node(request: Request) -> Node:
    # A coroutine: FastAPI would call a plain function in a thread, which takes longer than most reads.
    return node_of(request)


def base_url(node: Node, request: Request) -> str:
    """Where others reach the gateway, ending in a slash. What it was asked at is the asker's word: a proxy's, say."""
    return node.settings.public_url or str(request.base_url)


NodeDep = Annotated[Node, Depends(_node)]


async def in_thread(work: Callable[[], Result]) -> Result:
    """Does something that waits, without anybody else waiting for it."""
    return await to_thread.run_sync(work, limiter=_limiter)


async def read(node: Node, work: Callable[[], Result]) -> Result:
    """Does a short read: at once where the database is a file, in a thread where it is another process."""
    return work() if node.storage.is_sqlite else await in_thread(work)
