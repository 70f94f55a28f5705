"""Compare the gateway's reads with a FastAPI endpoint of a constant model, at 100,000 datasets in SQLite.

Each runs in a separate process on uvicorn with the same settings and one worker, and answers the same JSON over 32
concurrent keep-alive connections; the requested ids are random. The peer does not read a database, does not name the
block of its answer, does not count requests and does not assign request ids: it shows the cost of FastAPI alone.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select

from api import shapes
from api.answers import Page
from api.rooms.datasets import answers
from api.rooms.datasets.shapes import dataset as dataset_json
from api.rooms.datasets.shapes import item
from api.server import configuration
from registry.base.logging import configure
from registry.base.primitives import ZERO_ADDRESS
from registry.config import Settings
from registry.devchain.embedded import EmbeddedChain
from registry.node import Node, Role
from registry.node.assembly import NodeParts
from registry.rooms.datasets.queries import DatasetQueries
from registry.rooms.datasets.search import find_datasets
from registry.rooms.datasets.tables import DATASETS
from registry.storage import Storage, migrate, open_storage
from scripts import seed_index
from scripts.figures import Figure

COUNT: Final = 100_000
CONNECTIONS: Final = 32
ROUNDS: Final = 3
SECONDS: Final = 2.0
IDS: Final = 5_000
GOAL: Final = 0.7
START_SECONDS: Final = 30.0


@dataclass(slots=True)
class Load:
    """The result of one run of the load client."""

    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / SECONDS

    def percentile(self, share: float) -> float:
        """Return the maximum time of a share of the requests, in milliseconds."""
        return sorted(self.seconds)[int(share * len(self.seconds))] * 1000


def run() -> Iterator[Figure]:
    """Measure one dataset, a page of 50, and filtered pages."""
    with tempfile.TemporaryDirectory(prefix="tdr-bench-") as folder:
        database = Path(folder) / "registry.db"
        storage = open_storage(f"sqlite:///{database}")
        migrate(storage)
        seed_index.seed(storage, COUNT)
        yield from measure(storage, database)
        storage.close()


def measure(storage: Storage, database: Path) -> Iterator[Figure]:
    """Measure with a filled database."""
    ids = _ids(storage)
    with _Server("gateway", database) as gateway, _Server("constant", database) as constant:
        for name, ours, theirs in (
            ("one dataset", [f"/v1/datasets/{one}" for one in ids], "/dataset"),
            ("page of 50", ["/v1/datasets?limit=50"], "/page"),
        ):
            own, peer = _alternate(gateway, ours, constant, [theirs])
            rate = statistics.median(load.rate for load in own)
            other = statistics.median(load.rate for load in peer)
            ratio = rate / other
            goal = f">= {GOAL}x"
            peer_name = "FastAPI, constant model"
            yield Figure(f"gateway: {name}", rate, "requests/s", peer_name, other, ratio, goal, ratio >= GOAL)
            for share, label in ((0.5, "p50"), (0.99, "p99")):
                mine = statistics.median(load.percentile(share) for load in own)
                its = statistics.median(load.percentile(share) for load in peer)
                yield Figure(f"gateway: {name}, {label}", mine, "ms", peer_name, its, its / mine)
        for name, paths in _filters():
            loads = [asyncio.run(_load(gateway.port, paths, connections=1)) for _ in range(3)]
            p99 = statistics.median(load.percentile(0.99) for load in loads)
            yield Figure(f"gateway: find by {name}, p99", p99, "ms", goal="<= 25", met=p99 <= 25)


def _filters() -> list[tuple[str, list[str]]]:
    numbers = [random.randrange(COUNT) for _ in range(500)]
    return [
        ("owner", [f"/v1/datasets?owner={seed_index.owner(number % seed_index.OWNERS)}" for number in numbers]),
        ("name", [str(httpx.URL("/v1/datasets", params={"name": seed_index.name(number)})) for number in numbers]),
        (
            "words",
            [
                str(httpx.URL("/v1/datasets", params={"q": " ".join(seed_index.name(number).split()[:2])}))
                for number in numbers
            ],
        ),
        ("file hash", [f"/v1/datasets?sha256={seed_index.file_hash(number).hex()}" for number in numbers]),
        ("claims of a hash", [f"/v1/verify?sha256={seed_index.file_hash(number).hex()}" for number in numbers]),
    ]


def _ids(storage: Storage) -> list[str]:
    with storage.read() as connection:
        found = [str(one) for one in connection.execute(select(DATASETS.c.dataset_id)).scalars()]
    return random.Random(1).sample(found, min(IDS, len(found)))


def _alternate(
    ours: _Server, own_paths: Sequence[str], theirs: _Server, peer_paths: Sequence[str]
) -> tuple[list[Load], list[Load]]:
    own, peer = [], []
    for _ in range(ROUNDS):
        own.append(asyncio.run(_load(ours.port, own_paths)))
        peer.append(asyncio.run(_load(theirs.port, peer_paths)))
    return own, peer


async def _load(port: int, paths: Sequence[str], *, connections: int = CONNECTIONS) -> Load:
    load = Load()
    stop = time.monotonic() + SECONDS
    requests = [f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode() for path in paths]
    await asyncio.gather(*(_connection(port, requests, stop, load.seconds) for _ in range(connections)))
    return load


async def _connection(port: int, requests: Sequence[bytes], stop: float, seconds: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < stop:
        started = time.perf_counter()
        writer.write(random.choice(requests))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"The server answered {head[:200]!r}")
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        await reader.readexactly(length)
        seconds.append(time.perf_counter() - started)
    writer.close()


class _Server:
    """A server in its own process."""

    def __init__(self, kind: str, database: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scripts.bench_gateway", "--serve", kind, str(database)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = 0

    def __enter__(self) -> _Server:
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/openapi.json")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return self
        raise RuntimeError("The server did not start.")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _serve(kind: str, database: Path) -> None:
    """Print the port, then run one of the two servers."""
    configure("info", "json")
    storage = open_storage(f"sqlite:///{database}")
    with tempfile.TemporaryDirectory(prefix="tdr-bench-") as folder:
        chain = EmbeddedChain.in_memory(ZERO_ADDRESS)
        settings = Settings.model_validate({"data": folder, "database_url": f"sqlite:///{database}"})
        node = Node(NodeParts(settings, Role.GATEWAY, chain, storage, seed_index.DEPLOYMENT, None))
        configured = configuration(node)
        if kind == "constant":
            configured = uvicorn.Config(_constant_app(storage), log_config=None, access_log=False, lifespan="off")
        configured.port = 0
        listener = configured.bind_socket()
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(configured).run(sockets=[listener])


def _constant_app(storage: Storage) -> FastAPI:
    queries = DatasetQueries(storage)
    (first, *_) = _ids(storage)
    one = answers.Dataset.model_validate(_plain(dataset_json(queries.dataset(queries.resolve(first)))))
    page = Page[answers.DatasetItem].model_validate(_plain(shapes.page(find_datasets(storage), item)))
    app = FastAPI(telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False})

    @app.get("/dataset", response_model=answers.Dataset)
    async def dataset() -> answers.Dataset:
        return one

    @app.get("/page", response_model=Page[answers.DatasetItem])
    async def datasets() -> Page[answers.DatasetItem]:
        return page

    return app


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name == "metadata" else value for name, value in answer.items()}


def main() -> None:
    """Serve, for the benchmark's own use; or measure with an existing database."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", choices=("gateway", "constant"))
    parser.add_argument("database", type=Path)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve(arguments.serve, arguments.database)
        return
    for figure in measure(open_storage(f"sqlite:///{arguments.database}"), arguments.database):
        print(figure)


if __name__ == "__main__":
    main()
