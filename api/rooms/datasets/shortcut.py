"""Answer the most frequent query, one dataset by its id, before routing.

Reading the row takes a third of the time of finding the route and parsing the request's parameters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import orjson
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.rooms.datasets import shapes
from api.rooms.datasets.reads import reads_of
from api.rooms.datasets.routes import reads
from api.shapes import Json
from registry.base.errors import RegistryError
from registry.base.primitives import DatasetId
from registry.node import Node
from registry.rooms.datasets.hot import HotReads

_PATH: Final = re.compile("/v1/datasets/(?:0x)?([0-9a-fA-F]{64})")
_ROUTE: Final = next(route for route in reads.routes if isinstance(route, APIRoute) and route.operation_id == "dataset")
"""The route with the same answer; requests are counted under its name."""


class DatasetShortcut:
    """ASGI middleware. It passes a request that it cannot answer with a dataset to the route, which reports errors.

    Args:
        app: The app behind it.
        reads: Reads the index; used in the event loop's thread alone.
    """

    def __init__(self, app: ASGIApp, reads: HotReads) -> None:
        self._app = app
        self._reads = reads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        dataset = self._find(scope)
        if dataset is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = _ROUTE
        body = orjson.dumps(dataset)
        headers = [
            (b"tdr-as-of-block", b"%d" % dataset["asOfBlock"]),
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _find(self, scope: Scope) -> Json | None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
            return None
        path = _PATH.fullmatch(scope["path"])
        if path is None:
            return None
        try:
            return shapes.dataset(self._reads.dataset(DatasetId(bytes.fromhex(path[1]))))
        except RegistryError:
            return None


def innermost(node: Node) -> Sequence[Middleware]:
    """Return the shortcut if the database is a file."""
    hot = reads_of(node).hot
    return () if hot is None else (Middleware(DatasetShortcut, reads=hot),)
