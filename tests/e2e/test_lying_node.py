"""`tdr verify` refuses a node that withholds or alters the chain's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from registry.base.canonical import metadata_hash
from registry.keys.signer import Signer
from tests.fixtures.commands import refused, yes
from tests.fixtures.nodes import NodeProcess, Tdr
from tests.fixtures.servers import serving
from tests.fixtures.waiting import PATIENCE

Alter = Callable[[str, Any], Any]


@pytest.fixture
def lie(node: NodeProcess) -> Iterator[Callable[[Alter], str]]:
    """Starts a JSON-RPC endpoint that passes everything on to the real node, and alters results by method."""
    servers = ExitStack()
    http = servers.enter_context(httpx.Client(base_url=node.url, timeout=PATIENCE, trust_env=False))

    def start(alter: Alter) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                asked = orjson.loads(body)
                answered = http.post("/rpc", content=body, headers={"content-type": "application/json"}).json()
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

        return servers.enter_context(serving(Handler))

    with servers:
        yield start


@pytest.fixture
def lying_gateway(node: NodeProcess, tdr_at: Callable[[str], Tdr]) -> Iterator[Callable[[Alter], Tdr]]:
    """Starts a gateway that passes everything on to the real one, and alters JSON documents by path."""
    servers = ExitStack()
    http = servers.enter_context(httpx.Client(base_url=node.url, timeout=PATIENCE, trust_env=False))

    def start(alter: Alter) -> Tdr:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                passed = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = http.request(self.command, self.path, content=body, headers=passed)
                content = orjson.dumps(alter(self.path, answer.json()))
                self.send_response(answer.status_code)
                self.send_header("content-length", str(len(content)))
                self.send_header("content-type", answer.headers["content-type"])
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *details: object) -> None:
                return None

        return tdr_at(servers.enter_context(serving(Handler)))

    with servers:
        yield start


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


def test_metadata_that_stays_is_what_was_registered_whatever_the_gateway_says(
    tdr: Tdr, files: Path, dataset: str, lying_gateway: Callable[[Alter], Tdr]
) -> None:
    """A gateway cannot make an owner sign other metadata as those of the previous version."""
    chosen = {"name": "not the owner's"}

    def alter(path: str, document: Any) -> Any:
        if path.startswith("/v1/datasets/") and "metadataHash" in document:
            return document | {"metadata": chosen, "metadataHash": str(metadata_hash(chosen))}
        return document

    yes(lying_gateway(alter)("revise", dataset, files, "--key", "owner", "--json"))
    assert yes(tdr("show", dataset, "--json"))["metadata"] == {"name": "x"}


def test_no_revision_is_signed_on_a_history_that_is_not_the_chains(
    tdr: Tdr, files: Path, dataset: str, lying_gateway: Callable[[Alter], Tdr]
) -> None:
    """The same where the gateway's node alters the event that holds the hash."""

    def alter(path: str, document: Any) -> Any:
        for answer in (document if isinstance(document, list) else [document]) if path == "/rpc" else ():
            for log in answer["result"] if isinstance(answer["result"], list) else ():
                if len(log["topics"]) == 4 and len(log["data"]) > 2:
                    log["data"] = "0x" + "11" * 32 + log["data"][66:]
        return document

    assert "fold to the head" in refused(lying_gateway(alter)("revise", dataset, files, "--key", "owner"))
    assert yes(tdr("show", dataset, "--json"))["version"] == 2


def test_metadata_given_in_full_need_none_of_the_version_before(
    tdr: Tdr, files: Path, dataset: str, lying_gateway: Callable[[Alter], Tdr], tmp_path: Path
) -> None:
    """What the error of a gateway without the metadata advises, works."""
    lost = lying_gateway(lambda path, document: {} if path.startswith("/v1/metadata/") else document)
    assert "--metadata FILE" in refused(lost("revise", dataset, files, "--key", "owner"))
    given = tmp_path / "metadata.json"
    given.write_text('{"name": "y"}')
    yes(lost("revise", dataset, files, "--metadata", given, "--key", "owner", "--json"))
    assert yes(tdr("show", dataset, "--json"))["metadata"] == {"name": "y"}


def test_a_signature_for_a_later_epoch_cannot_be_collected_and_used_after_a_revocation(
    tdr: Tdr, dataset: str, lying_gateway: Callable[[Alter], Tdr], keys: dict[str, Signer]
) -> None:
    """C8, against a gateway: it has a grant signed for a later epoch, and would use it in that epoch."""
    analyst = keys["analyst"].address

    def later(path: str, document: Any) -> Any:
        return document | {"epoch": document["epoch"] + 2} if "/grantees/" in path else document

    grant = ("grant", dataset, analyst, "--rights", "read", "--until", "30d", "--key", "owner")
    assert yes(tdr(*grant, "--json"))["rights"] == ["read"]
    assert "epoch" in refused(lying_gateway(later)(*grant))
    # Epoch 1 would be right, but with it epoch 3 is two steps away, and that signature is still good.
    assert "for epoch 3, valid until" in refused(tdr(*grant))
    revoked = tdr("revoke", dataset, analyst, "--key", "owner", "--json")
    assert revoked.code == 0
    assert revoked.err.startswith("warning: This key signed about this dataset and grantee for epoch 3, valid until")
    assert tdr("access", dataset, analyst).code == 1


def test_nothing_is_signed_for_another_chain_or_contract_than_the_owner_knows(
    tdr: Tdr, files: Path, lying_gateway: Callable[[Alter], Tdr], node: NodeProcess
) -> None:
    def elsewhere(path: str, document: Any) -> Any:
        return document | {"chainId": 1} if path == "/v1/deployment" else document

    known = httpx.get(f"{node.url}/v1/deployment").json()
    address = known["contracts"]["DatasetRegistry"]["address"].lower()
    pins = {"TDR_CHAIN_ID": str(known["chainId"]), "TDR_CONTRACTS": f"DatasetRegistry={address}"}
    register = ("register", files, "--name", "x", "--key", "owner")
    assert "TDR_CHAIN_ID is" in refused(lying_gateway(elsewhere)(*register, **pins))
    other = f"AccessGrants=0x{'11' * 20}"
    assert "AccessGrants in TDR_CONTRACTS is" in refused(tdr(*register, TDR_CONTRACTS=other))
    made = yes(tdr(*register, "--json", **pins))
    assert (made["chainId"], made["contract"].lower()) == (known["chainId"], address)


@pytest.mark.parametrize("result", [None, "0x", [], {}, "nonsense"])
def test_nonsense_cannot_be_told(
    tdr: Tdr, files: Path, dataset: str, lie: Callable[[Alter], str], result: object
) -> None:
    url = lie(lambda method, found: found if method in ("eth_chainId", "eth_getBlockByNumber") else result)
    assert refused(tdr("verify", files, "--dataset", dataset, "--rpc", url))
