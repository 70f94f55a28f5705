"""A JSON-RPC proxy that misbehaves in twelve ways, chosen by a seeded generator."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from enum import StrEnum
from typing import Any

from scripts.faults.gate import Gate

LAG_BLOCKS = 4


class Kind(StrEnum):
    """The kinds of faults of a POST."""

    DROP_BEFORE = "drop before"
    DROP_AFTER = "drop after"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    TOO_MANY = "429"
    UNAVAILABLE = "503"
    HALF_WRITTEN = "half-written"
    STALE = "stale"
    NULL = "null"
    WRONG_ID = "wrong id"
    WRONG_CHAIN = "wrong chain"
    LAGGING = "lagging"
    DISCONNECTED = "disconnected"


Calls = list[dict[str, Any]]


class FaultProxy:
    """A proxy between a node and its chain, in its own thread.

    Args:
        port: The port to listen at, on 127.0.0.1.
        upstream: The chain's port, on 127.0.0.1.
        gate: The gate before the chain.
        seed: The seed of the choices.
    """

    def __init__(self, port: int, upstream: int, gate: Gate, seed: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.rate = 0.0
        """The share of POSTs with a fault."""
        self._port = port
        self._upstream = upstream
        self._gate = gate
        self._random = random.Random(seed)
        self._seen: dict[str, Any] = {}
        self._down_until = 0.0
        self.faulted: Counter[Kind] = Counter()
        """The number of JSON-RPC calls with a fault, by kind."""
        self._clients: set[asyncio.Task[None] | None] = set()
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), name="fault proxy", daemon=True).start()
        self._ready.wait()

    def stop_faults(self) -> None:
        """Forward everything from now on."""
        self.rate = 0.0
        self._down_until = 0.0

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._client, "127.0.0.1", self._port)
        self._ready.set()
        async with server:
            await server.serve_forever()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._clients.add(task)  # asyncio keeps only a weak reference, so the task could be collected while it waits.
        try:
            while True:
                body = await _read_message(reader)
                if asyncio.get_running_loop().time() < self._down_until:
                    break
                if not await self._answer(body, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            self._clients.discard(task)
            writer.close()

    async def _answer(self, body: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer one POST; return False if the connection must be closed."""
        parsed = json.loads(body)
        calls: Calls = parsed if isinstance(parsed, list) else [parsed]
        kind = self._choose(calls)
        if kind is not None:
            self.faulted[kind] += len(calls)
        match kind:
            case Kind.DROP_BEFORE:
                return False
            case Kind.DISCONNECTED:
                self._down_until = asyncio.get_running_loop().time() + self._random.uniform(0.2, 1.5)
                return False
            case Kind.TOO_MANY | Kind.UNAVAILABLE:
                writer.write(_response(b"busy", int(kind), self._random.choice(["", "Retry-After: 1\r\n"])))
                await writer.drain()
                return True
            case Kind.LAGGING:
                calls = await self._lagging(calls)
                body = json.dumps(calls if isinstance(parsed, list) else calls[0]).encode()
            case Kind.DUPLICATE:
                await self._forward(body)
            case _:
                pass
        answers = json.loads(await self._forward(body))
        if kind is Kind.DELAY:
            await asyncio.sleep(self._random.uniform(0.1, 2.0))
        if kind is Kind.DROP_AFTER:
            return False
        content = json.dumps(self._altered(kind, calls, answers)).encode()
        response = _response(content)
        writer.write(response[: -len(content) // 2] if kind is Kind.HALF_WRITTEN else response)
        await writer.drain()
        return kind is not Kind.HALF_WRITTEN

    def _choose(self, calls: Calls) -> Kind | None:
        if self._random.random() >= self.rate:
            return None
        # A wrong chain id can only be returned when it is requested; a starting node requests it several times.
        kind = self._random.choice(list(Kind))
        if any(call["method"] == "eth_chainId" for call in calls):
            return Kind.WRONG_CHAIN if self._random.random() < 0.3 else kind
        return None if kind is Kind.WRONG_CHAIN else kind

    async def _lagging(self, calls: Calls) -> Calls:
        question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}).encode()
        height = int(json.loads(await self._forward(question))["result"], 16)
        behind = hex(max(0, height - LAG_BLOCKS))
        return [
            call | {"params": [behind if item == "latest" else item for item in call.get("params", [])]}
            for call in calls
        ]

    def _altered(self, kind: Kind | None, calls: Calls, answers: Any) -> Any:
        listed = answers if isinstance(answers, list) else [answers]
        by_id = {call["id"]: json.dumps([call["method"], call.get("params", [])]) for call in calls}
        altered = []
        for answer in listed:
            question = by_id.get(answer.get("id"), "")
            old = self._seen.get(question)
            if "result" in answer:
                self._seen[question] = answer["result"]
            match kind:
                case Kind.STALE if old is not None:
                    answer = answer | {"result": old}
                case Kind.NULL if "result" in answer:
                    answer = answer | {"result": None}
                case Kind.WRONG_ID:
                    answer = answer | {"id": 10**9}
                case Kind.WRONG_CHAIN if "eth_chainId" in question:
                    answer = answer | {"result": "0x539"}
                case _:
                    pass
            altered.append(answer)
        return altered if isinstance(answers, list) else altered[0]

    async def _forward(self, body: bytes) -> bytes:
        async with self._gate.within():
            reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            try:
                writer.write(
                    b"POST / HTTP/1.1\r\nHost: chain\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    + f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
                return await _read_message(reader)
            finally:
                writer.close()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return await reader.readexactly(length)


def _response(content: bytes, status: int = 200, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
    return head.encode() + content
