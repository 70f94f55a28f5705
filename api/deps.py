"""What routes ask for: the node, and threads to wait in."""

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
"""How many reads may wait for the database or the chain at once."""
WRITERS: Final = 4
"""How many writes; reads never take their threads. With the heavy reads, fewer than the database has connections."""
HEAVY: Final = 2
"""How many exports may be made at once: each computes in this process."""
HEAVY_WAITING: Final = 16
"""How many exports may wait for one of these to end."""
CLIENT_PAUSE: Final = 0.25
"""How often it is looked whether a client that waits long is still there, in seconds."""

_readers, _writers, _heavy = CapacityLimiter(READERS), CapacityLimiter(WRITERS), CapacityLimiter(HEAVY)


def node_of(request: Request) -> Node:
    """Return the node that the app serves."""
    node: Node = request.app.state.node
    return node


async def _node(request: Request) -> Node:
    # A coroutine: FastAPI would call a plain function in a thread, which takes longer than most reads.
    return node_of(request)


def base_url(node: Node, request: Request) -> str:
    """Return the gateway's public address, ending in a slash: the operator's setting, else that of the request.

    The address of a request may be one that a proxy has changed.
    """
    return node.settings.public_url or str(request.base_url)


async def _gateway_rooms(request: Request) -> Sequence[GatewayRoom]:
    rooms: Sequence[GatewayRoom] = request.app.state.rooms
    return rooms


NodeDep = Annotated[Node, Depends(_node)]
GatewayRoomsDep = Annotated[Sequence[GatewayRoom], Depends(_gateway_rooms)]


async def in_thread(work: Callable[[], Result]) -> Result:
    """Do a read that waits, in a thread, so that other requests go on."""
    return await to_thread.run_sync(work, limiter=_readers)


async def in_write_thread(work: Callable[[], Result]) -> Result:
    """Do a write, in a thread that no read takes."""
    return await to_thread.run_sync(work, limiter=_writers)


async def in_heavy_thread(request: Request, work: Callable[[], Result]) -> Result:
    """Make something that uses a core for long, when a thread is free; not if the client has left by then.

    Raises:
        Refused: Too many are being made already, or the client has gone.
    """
    if _heavy.statistics().tasks_waiting >= HEAVY_WAITING:
        raise _busy(f"{HEAVY} exports are being made and {HEAVY_WAITING} wait.")
    with CancelScope() as scope:
        watching = asyncio.create_task(when_gone(request, scope.cancel))
        try:
            # What runs in a thread cannot be stopped; what waits for one can.
            return await to_thread.run_sync(work, limiter=_heavy)
        finally:
            watching.cancel()
    raise _busy("The client left before its export was begun.")


async def when_gone(request: Request, act: Callable[[], object]) -> None:
    """Do something once the client of a request has left; to be cancelled when the request is answered."""
    while not await request.is_disconnected():
        await asyncio.sleep(CLIENT_PAUSE)
    act()


def _busy(what: str) -> Refused:
    return Refused(UNAVAILABLE, what, headers={"Retry-After": "1"})


async def read(node: Node, work: Callable[[], Result]) -> Result:
    """Do a short read: at once where the database is a file, in a thread where it is another process."""
    return work() if node.storage.is_sqlite else await in_thread(work)
