"""The client that openapi-python-client generates from the description is complete and works."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scripts import openapi
from tests.api.world import FAR, OWNER, Gateway
from tests.fixtures.tools import need
from tests.fixtures.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-client/bin"
DOCUMENT: dict[str, Any] = json.loads(openapi.FILE.read_text())
NAME = "tdr_client"
OTHERWISE = f"There is no {BIN}: `make .venv-client/.installed` makes it, and so does `make test`."


def operations() -> Iterator[tuple[str, str]]:
    """The tag and the id of each operation."""
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            yield operation["tags"][0], operation["operationId"]


def test_every_name_is_fit_for_a_class_or_a_method() -> None:
    names = [name for _, name in operations()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z][a-zA-Z0-9]*", name) for name in names), names
    schemas = list(DOCUMENT["components"]["schemas"])
    assert all(re.fullmatch("[A-Z][a-zA-Z0-9]*", name) for name in schemas), schemas


def test_every_answer_has_a_schema() -> None:
    """Generators omit answers without a schema."""
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                for media_type, content in answer.get("content", {}).items():
                    assert content.get("schema"), (path, status, media_type)


def test_an_outside_validator_takes_the_description() -> None:
    need(BIN.exists(), OTHERWISE)
    command = [BIN / "openapi-spec-validator", openapi.FILE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Client:
    """A generated client of a gateway; each operation is a method, and each schema is an attribute of `models`."""

    def __init__(self, gateway: Gateway) -> None:
        self.models = importlib.import_module(f"{NAME}.models")
        self.http = importlib.import_module(NAME).Client(
            base_url=str(gateway.http.base_url), timeout=PATIENCE, httpx_args={"trust_env": False}
        )
        self._tags = {name: tag for tag, name in operations()}

    def ask(self, operation: str, *arguments: Any, **named: Any) -> Any:
        module = importlib.import_module(f"{NAME}.api.{self._tags[operation]}.{module_of(operation)}")
        return module.sync(*arguments, client=self.http, **named)


def module_of(operation: str) -> str:
    return re.sub("(?=[A-Z])", "_", operation).lower()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package that the command in the guide generates; any warning fails."""
    need(BIN.exists(), OTHERWISE)
    folder = tmp_path_factory.mktemp("client")
    (folder / "docs").symlink_to(ROOT / "docs")
    [command] = re.findall("^openapi-python-client .*$", (ROOT / "docs/http.md").read_text(), re.MULTILINE)
    done = subprocess.run(
        [*shlex.split(command), "--fail-on-warning"],
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder / NAME
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


@pytest.fixture
def client(package: Path, gateway: Gateway) -> Iterator[Client]:
    found = Client(gateway)
    with closing(found.http.get_httpx_client()):
        yield found


def test_every_operation_and_every_schema_is_generated(package: Path) -> None:
    modules = {(file.parent.name, file.stem) for file in package.glob("api/*/*.py") if file.stem != "__init__"}
    assert modules == {(tag, module_of(name)) for tag, name in operations()}
    for tag, module in modules:
        importlib.import_module(f"{NAME}.api.{tag}.{module}").sync_detailed  # noqa: B018  It is there.
    assert set(DOCUMENT["components"]["schemas"]) <= set(importlib.import_module(f"{NAME}.models").__all__)


def test_a_client_registers_and_reads_everything_about_a_dataset(client: Client, gateway: Gateway) -> None:
    models = client.models
    message = gateway.registration()
    receipt = client.ask(
        "register",
        body=models.RegistrationSubmission(
            message=models.Registration(
                owner=str(OWNER.address),
                content_root=str(message.content_root),
                metadata_hash=str(message.metadata_hash),
                uri="",
                salt=str(message.salt),
                sources=[],
                deadline=FAR,
            ),
            signature=gateway.signature(message),
        ),
    )
    settled = client.ask("receipt", receipt.id, wait=30)
    assert settled.status in (models.ReceiptStatus.MINED, models.ReceiptStatus.FINAL), settled
    dataset_id = str(message.dataset_id)
    gateway.wait_for_index(settled.block_number)
    assert client.ask("dataset", dataset_id).owner == str(OWNER.address)
    assert [item.dataset_id for item in client.ask("datasets", owner=str(OWNER.address)).items] == [dataset_id]
    assert client.ask("certificate", dataset_id).payload.read(5) == b"%PDF-"
    assert client.ask("credential", dataset_id)["type"][0] == "VerifiableCredential"
    assert client.ask("evidence", dataset_id)["format"] == "tdr-evidence/1"
    assert client.ask("lineage", dataset_id).as_of_block >= settled.block_number
    assert "tdr_" in client.ask("metrics")


def test_a_client_asks_the_chain_one_call_and_many(client: Client, gateway: Gateway) -> None:
    def call(number: int, method: str) -> Any:
        return client.models.RpcCall(jsonrpc="2.0", id=number, method=method, params=[])

    chain_id = hex(gateway.deployment.chain_id)
    assert client.ask("rpc", body=call(1, "eth_chainId")).result == chain_id
    first, second = client.ask("rpc", body=[call(1, "eth_chainId"), call(2, "eth_sign")])
    assert (first.id, first.result, second.id, second.error.code) == (1, chain_id, 2, -32601)
    assert client.ask("deployment").chain_id == gateway.deployment.chain_id
