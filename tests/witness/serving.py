"""A witness that answers over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from api.listener import listen, url_of
from api.witness import create_witness_app
from registry.witness.store import WitnessStore
from registry.witness.witness import Witness
from tests.witness.simulator import NODE, SimulatedChain


@contextmanager
def serving(witness: Witness) -> Iterator[str]:
    """Serve a witness on a port of its own; yield its URL."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_witness_app(witness), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        witness.close()


def witness_of(folder: Path, chain: SimulatedChain, back: int = 5) -> Witness:
    """A witness that has followed the chain's last blocks."""
    witness = Witness(WitnessStore.open(folder), chain, [NODE.verifier], clock=lambda: 2_000.0)
    chain.lag = back
    witness.advance()
    chain.lag = 0
    witness.advance()
    return witness
