"""The front door: the layers that every request passes, in this order. Nothing answers before it.

1. `HeadAsGet` turns HEAD into GET, and drops the body of the answer.
2. `RequestContextMiddleware` gives the request its id, its log line and its measurement, gives every answer its common
   headers, answers faults, and limits the memory held for clients that read slowly.
3. The handlers of `api.problems` make every error a problem (RFC 9457), 404 and 405 among them.
4. A room's innermost middleware (`GatewayRoom.innermost`): the most frequent query is answered here, before routing.
5. The router finds the route. `api.strict` reads its query and its body, within limits.

Only the connection (`api.connection`) comes before it. It ends connections of clients that do not read, without an
answer, and uvicorn answers invalid HTTP with 400: in neither case is there a request to identify, count or route.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware import Middleware

from api import problems
from api.head import HeadAsGet
from api.middleware import RequestContextMiddleware
from registry.metrics import HttpMetrics


def install(app: FastAPI, metrics: HttpMetrics, innermost: Sequence[Middleware] = ()) -> None:
    """Put the front door before the routes of an app.

    Args:
        app: The app.
        metrics: Where requests are counted.
        innermost: The middleware after all of these, before the router.
    """
    problems.install(app)
    for middleware in innermost:  # The middleware added last is the outermost.
        app.add_middleware(middleware.cls, *middleware.args, **middleware.kwargs)
    app.add_middleware(RequestContextMiddleware, metrics=metrics)
    app.add_middleware(HeadAsGet)
