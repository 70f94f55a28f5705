"""An anvil that is killed leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path

from registry.chain.client import ChainUnavailable
from registry.chain.rpc import RpcChain
from scripts.faults.anvil import anvil_command
from scripts.faults.ports import free_port
from tests.fixtures.waiting import eventually

BLOCKS = 600
"""By default anvil writes states to disk from block 501 on."""


def test_states_of_blocks_are_not_written_below_the_users_home(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        anvil_command(port, "--no-mining"), stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path)}
    )

    def has_mined() -> bool:
        try:
            chain.request("anvil_mine", [hex(BLOCKS)])
            chain.request("anvil_rollback", [1])
        except ChainUnavailable:
            return False
        return True

    with closing(RpcChain([f"http://127.0.0.1:{port}"])) as chain:
        eventually(has_mined)
    process.kill()
    process.wait()
    assert list(tmp_path.iterdir()) == []
