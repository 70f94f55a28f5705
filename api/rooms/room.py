"""The HTTP part of a room: its routes, and the signed messages that they take.

The gateway takes a sequence of `GatewayRoom` and knows no room. A room from outside needs no change here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.middleware import Middleware

from registry.ethereum.eip712 import Signable
from registry.node import Node


@dataclass(frozen=True, slots=True)
class GatewayRoom:
    """The HTTP part of a room.

    Args:
        name: The room's name, also of its folders.
        routers: Its routes. A write takes `api.writes.MessageIntake`; a read takes `api.reads.answer`.
        signed: The messages and statements that its routes take. Each is posted to its `PATH`.
        tags: Its groups of routes: their names, with their descriptions in OpenAPI.
        innermost: Return the middleware to be placed after the front door and before the router, for answers that
            must be faster than routing.
    """

    name: str
    routers: tuple[APIRouter, ...]
    signed: tuple[type[Signable], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    innermost: Callable[[Node], Sequence[Middleware]] = lambda _: ()
