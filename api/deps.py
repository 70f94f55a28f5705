"""Dependencies of routes: the node, and threads for work that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi import Depends, Request

from api.problems import UNAVAILABLE, Refused
from api.rooms.room import GatewayRoom
from registry.node import Node

Result = TypeVar("Result")

READERS: Final = 8
"""The number of reads that may wait for the database or the chain at once."""
WRITERS: Final = 4
"""The same for writes; reads never use their threads. With the exports, fewer than the database's connections."""
HEAVY: Final = 2
"""The number of exports made at once; each computes in this process."""
HEAVY_WAITING: Final = 16
"""The number of exports that may wait for one of these to finish."""
CLIENT_PAUSE: Final = 0.25
"""The seconds between two checks whether a waiting client is still connected."""

_readers, _writers, _heavy = CapacityLimiter(READERS), CapacityLimiter(WRITERS), CapacityLimiter(HEAVY)


def node_of(request: Request) -> Node:
    """Return the node that the app serves."""
    node: Node = request.app.state.node
    return node


async def _node(request: Request) -> Node:
    # A coroutine: FastAPI would call a plain function in a thread, which takes longer than most reads.
    return node_of(request)


def base_url(node: Node, request: Request) -> str:
    """Return the gateway's public address, ending in a slash: the operator's setting, or else the request's address.

    A proxy may have changed the request's address.
    """
    return node.settings.public_url or str(request.base_url)


async def _gateway_rooms(request: Request) -> Sequence[GatewayRoom]:
    rooms: Sequence[GatewayRoom] = request.app.state.rooms
    return rooms


NodeDep = Annotated[Node, Depends(_node)]
GatewayRoomsDep = Annotated[Sequence[GatewayRoom], Depends(_gateway_rooms)]


async def in_thread(work: Callable[[], Result]) -> Result:
    """Run a read that waits in a thread, so that other requests continue."""
    return await to_thread.run_sync(work, limiter=_readers)


async def in_write_thread(work: Callable[[], Result]) -> Result:
    """Run a write in a thread that no read uses."""
    return await to_thread.run_sync(work, limiter=_writers)


async def in_heavy_thread(request: Request, work: Callable[[], Result]) -> Result:
    """Run a long computation once a thread is free, unless the client has left by then.

    Raises:
        Refused: Too many are waiting already, or the client has left.
    """
    if _heavy.statistics().tasks_waiting >= HEAVY_WAITING:
        raise _busy(f"{HEAVY} exports are in progress and {HEAVY_WAITING} are waiting.")
    with CancelScope() as scope:
        watching = asyncio.create_task(when_gone(request, scope.cancel))
        try:
            # Work that runs in a thread cannot be stopped; work that waits for a thread can.
            return await to_thread.run_sync(work, limiter=_heavy)
        finally:
            watching.cancel()
    raise _busy("The client left before its export was started.")


async def when_gone(request: Request, act: Callable[[], object]) -> None:
    """Call a function once the client has left; cancel this task when the request is answered."""
    while not await request.is_disconnected():
        await asyncio.sleep(CLIENT_PAUSE)
    act()


def _busy(what: str) -> Refused:
    return Refused(UNAVAILABLE, what, headers={"Retry-After": "1"})


async def read(node: Node, work: Callable[[], Result]) -> Result:
    """Run a short read: directly if the database is a file, in a thread if it is another process."""
    return work() if node.storage.is_sqlite else await in_thread(work)
