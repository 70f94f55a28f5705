"""Run a real network on this machine for experiments: three geth validators and a registry's node, until Ctrl-C.

python -m scripts.network
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

from registry.base.errors import RegistryError
from registry.node.key import create_relayer
from scripts.network import geth
from scripts.network.validators import ETHER, Network

TDR = Path(sys.executable).with_name("tdr")


def main() -> int:
    """Run the network and the node until Ctrl-C or SIGTERM, or until the node ends."""
    arguments = argparse.ArgumentParser(description="A network of three geth validators with a registry's node on it.")
    arguments.add_argument("--port", default="8000", help="the port of the registry's node; 0: a free port")
    arguments.add_argument("--unfunded", action="store_true", help="do not fund the relayer; it will ask for funds")
    chosen = arguments.parse_args()
    if not geth.path().exists():
        print("geth is not built here. Build it with: make geth", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="tdr-network-") as folder:
        try:
            return _run(Path(folder), chosen.port, is_funded=not chosen.unfunded)
        except KeyboardInterrupt:
            return 0
        except (RegistryError, TimeoutError, RuntimeError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2


def _run(folder: Path, port: str, *, is_funded: bool) -> int:
    print("Starting three geth validators", flush=True)
    with Network(folder) as network:
        data = folder / "node"
        data.mkdir(mode=0o700)
        relayer = create_relayer(data / "relayer.key").address
        if is_funded:
            network.send(relayer, 100 * ETHER)
        print(f"  chain id      {network.chain_id}, Clique, a block a second; it continues with any two of the three")
        for number, validator in enumerate(network.validators, start=1):
            print(f"  validator {number}   {validator.url}  {validator.signer.address}")
        print(f"  funded        {network.rich.address}, a million ether")
        print(f"  its key       0x{network.rich.secret().hex()}  (only for this network)")
        print(f"  relayer       {relayer}, {'100 ether' if is_funded else 'not funded'}")
        print(f"  data          {folder}: removed at the end")
        if not is_funded:
            first = network.validators[0]
            transfer = {"from": str(first.signer.address), "to": str(relayer), "value": hex(ETHER)}
            call = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendTransaction", "params": [transfer]}
            print("To send the relayer one ether, run in another terminal:")
            print(f"  curl -H 'content-type: application/json' {first.url} -d '{json.dumps(call)}'")
        print("Starting the registry's node on validators 1 and 2", flush=True)
        command: list[str | Path] = [TDR, "up", "--data", data, "--port", port]
        for validator in network.validators[:2]:
            command += ["--rpc", validator.url]
        with subprocess.Popen(command) as node:
            try:
                return node.wait()
            finally:
                if node.poll() is None:
                    node.terminate()
                    node.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
