"""Start anvil (the native binary that `npm ci` brings) for benchmarks and tests, and stop it afterwards."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence

from web3 import HTTPProvider, Web3

from scripts.faults.anvil import anvil_command
from scripts.faults.ports import free_port


@contextlib.contextmanager
def anvil(
    chain_id: int = 31337, seconds: float = 20.0, options: Sequence[str] = ("--steps-tracing",)
) -> Iterator[Web3]:
    """Yield a new chain on a free port, with ten funded and unlocked accounts.

    Args:
        chain_id: The chain's id.
        seconds: The longest wait for its first answer.
        options: Further options of anvil.

    Raises:
        TimeoutError: It does not answer.
    """
    port = free_port()
    with subprocess.Popen(anvil_command(port, "--chain-id", str(chain_id), *options)) as process:
        try:
            w3 = Web3(HTTPProvider(f"http://127.0.0.1:{port}", request_kwargs={"timeout": 60}))
            until = time.monotonic() + seconds
            while not w3.is_connected():
                if time.monotonic() > until:
                    raise TimeoutError(f"anvil did not answer on port {port} within {seconds} s.")
                time.sleep(0.05)
            yield w3
        finally:
            process.kill()
