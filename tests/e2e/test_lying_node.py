"""A node that withholds or alters what the chain says: `tdr verify` does not believe it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.e2e.conftest import NodeProcess, Tdr, refused, yes

Alter = Callable[[str, Any], Any]


@pytest.fixture
def lie(node: NodeProcess) -> Iterator[Callable[[Alter], str]]:
    """Starts a JSON-RPC endpoint that passes everything on to the real node, and alters results by method."""
    servers: list[ThreadingHTTPServer] = []

    def start(alter: Alter) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                asked = orjson.loads(body)
                answered = httpx.post(
                    f"{node.url}/rpc", content=body, headers={"content-type": "application/json"}
                ).json()
                methods = {one["id"]: one["method"] for one in (asked if isinstance(asked, list) else [asked])}
                for one in answered if isinstance(answered, list) else [answered]:
                    one["result"] = alter(methods[one["id"]], one["result"])
                content = orjson.dumps(answered)
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *details: object) -> None:
                return None

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def dataset(tdr: Tdr, files: Path) -> str:
    """A dataset of two versions; the files are those of the first."""
    content = (files / "a.csv").read_text()
    first = yes(tdr("register", files, "--name", "x", "--key", "owner", "--json"))
    (files / "a.csv").write_text("second\n")
    yes(tdr("revise", first["datasetId"], files, "--key", "owner", "--json"))
    (files / "a.csv").write_text(content)
    return str(first["datasetId"])


def test_an_honest_endpoint_is_believed(tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str]) -> None:
    url = lie(lambda method, result: result)
    assert tdr("verify", files, "--dataset", dataset, "--version", 1, "--rpc", url).code == 0
    assert tdr("verify", files, "--dataset", dataset, "--rpc", url).code == 1


def test_an_access_key_in_an_endpoints_address_is_not_told(
    tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str]
) -> None:
    """R10: a report is passed on, and names the endpoint without what may be secret in its address."""
    url = lie(lambda method, result: result)
    secret = f"{url.replace('://', '://me:secret@')}/v2/secret?key=secret"
    done = tdr("verify", files, "--dataset", dataset, "--version", 1, "--rpc", secret, "--json")
    assert done.code == 0
    assert f'"node": "{url}"' in done.out
    assert "secret" not in done.out + done.err


def test_a_withheld_revision_shows(tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str]) -> None:
    """C12: the head in storage commits to the whole history. Without the revision, version 1 would look like the
    latest."""
    url = lie(lambda method, result: result[:1] if method == "eth_getLogs" and len(result) > 1 else result)
    assert "withholds" in refused(tdr("verify", files, "--dataset", dataset, "--rpc", url))


def test_an_altered_content_root_shows(tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str]) -> None:
    def alter(method: str, result: Any) -> Any:
        if method == "eth_getLogs":
            for log in result:
                if len(log["topics"]) == 4 and len(log["data"]) > 2:
                    log["topics"][3] = "0x" + "11" * 32
        return result

    assert "fold to the head" in refused(tdr("verify", files, "--dataset", dataset, "--rpc", lie(alter)))


def test_a_contract_with_other_code_shows(tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str]) -> None:
    url = lie(lambda method, result: result[:-2] + "00" if method == "eth_getCode" else result)
    assert "does not have the code" in refused(tdr("verify", files, "--dataset", dataset, "--rpc", url))


def test_another_chain_is_refused(tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str]) -> None:
    url = lie(lambda method, result: "0x1" if method == "eth_chainId" else result)
    assert "chain" in refused(tdr("verify", files, "--dataset", dataset, "--rpc", url))


@pytest.mark.parametrize("result", [None, "0x", [], {}, "nonsense"])
def test_nonsense_cannot_be_told(
    tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str], result: object
) -> None:
    url = lie(lambda method, found: found if method in ("eth_chainId", "eth_getBlockByNumber") else result)
    assert refused(tdr("verify", files, "--dataset", dataset, "--rpc", url))
