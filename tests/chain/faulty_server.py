"""A JSON-RPC server over HTTP in front of a chain, that misbehaves on request."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from registry.chain.client import Chain, RpcError
from tests.fixtures.waiting import let_others_run

Answer = dict[str, Any]


class FaultyServer:
    """Serves a chain on a port of its own.

    Attributes:
        chain: What it serves; may be changed.
        faults: What to do wrong with the next requests, one each; when there are no more, it does all right.
        requests: The requests so far, each as its JSON.
        connections: How many connections were made.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.faults: deque[str] = deque()
        self.requests: list[Any] = []
        self.connections = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: Any) -> Any:
        if isinstance(request, list):
            return [self.answer(item) for item in request]
        answer: Answer = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            answer["result"] = self.chain.request(request["method"], request["params"])
        except RpcError as error:
            answer["error"] = {"code": error.code, "message": error.message, "data": error.data}
        return answer


class _Handler(BaseHTTPRequestHandler):
    owner: FaultyServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.owner.connections += 1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.owner.requests.append(request)
        fault = self.owner.faults.popleft() if self.owner.faults else ""
        if fault == "hang up before":
            self.close_connection = True
            return
        body = json.dumps(self.owner.answer(request)).encode()
        if fault == "hang up after":
            self.close_connection = True
        elif fault == "slow":
            self.connection.recv(1)  # Returns when the client has given up.
            self.close_connection = True
        elif fault == "drip":
            self._drip()
        elif fault == "half":
            self._send(200, body[: len(body) // 2], length=len(body))
            self.close_connection = True
        elif fault.startswith(("429", "503")):
            status, _, retry_after = fault.partition(" ")
            self._send(int(status), b"busy", retry_after=retry_after)
        elif fault == "500":
            self._send(500, b"<html>oops</html>")
        elif fault == "400 with an answer":
            error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "not like this"}}
            self._send(400, json.dumps(error).encode())
        elif fault == "list refused":
            error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}}
            self._send(200, json.dumps(error).encode())
        else:
            self._send(200, _spoilt(body, fault))

    def _send(self, status: int, body: bytes, *, length: int | None = None, retry_after: str = "") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body) if length is None else length))
        if retry_after:
            self.send_header("retry-after", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        try:
            for _ in range(1000):
                self.wfile.write(b" ")
                let_others_run(0.05)
        except OSError:
            pass
        self.close_connection = True


def _spoilt(body: bytes, fault: str) -> bytes:
    answer = json.loads(body)
    one = answer[-1] if isinstance(answer, list) else answer
    if fault == "wrong id":
        one["id"] += 1
    elif fault == "id as text":
        one["id"] = str(one["id"])
    elif fault == "no result":
        one.pop("result", None)
    elif fault == "null":
        return b"null"
    elif fault == "empty":
        return b""
    elif fault == "page":
        return b"<html>Welcome!</html>"
    elif fault == "one missing":
        answer.pop()
    elif fault == "reversed":
        answer.reverse()
    elif fault:
        raise AssertionError(f"no such fault: {fault}")
    return json.dumps(answer).encode()
