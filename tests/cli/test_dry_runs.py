"""Dry runs of every write: they show what would be signed or why it would be refused, and send nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from registry.base.errors import ContractRefused
from registry.base.primitives import ZERO_BYTES32, Address, DatasetId, keccak256
from registry.cli.rehearsal import show_message, show_statement
from registry.cli.session import open_session
from registry.keys.folder import KeyFolder
from registry.keys.keystore import encrypt
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets import errors
from registry.rooms.datasets.messages import Withdrawal
from tests.api.world import FAR, Gateway
from tests.cli.conftest import PASSWORD, Run
from tests.fixtures.commands import Done, refused, yes
from tests.fixtures.randomness import signer_of
from tests.fixtures.servers import serving

NAMES = ("owner", "analyst", "buyer")


@pytest.fixture(scope="module")
def posted() -> list[str]:
    """The paths of what was posted to `watched`."""
    return []


@pytest.fixture(scope="module")
def watched(gateway: Gateway, posted: list[str]) -> Iterator[str]:
    """A gateway that passes everything on to the real one, and notes what is posted."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.command == "POST":
                posted.append(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            passed = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = gateway.http.request(self.command, self.path, content=body, headers=passed)
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.send_header("content-type", answer.headers["content-type"])
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *details: object) -> None:
            return None

    with serving(Handler) as url:
        yield url


@pytest.fixture
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Address]:
    """The accounts of three keys, whose password costs little to try."""
    signers = {name: signer_of(f"{name} {request.node.nodeid}") for name in NAMES}
    for name, signer in signers.items():
        KeyFolder(tmp_path / "keys").add(name, encrypt(signer, PASSWORD, work=2**4))
    return {name: signer.address for name, signer in signers.items()}


@pytest.fixture
def act(tdr: Run, gateway: Gateway, keys: dict[str, Address]) -> Run:
    """Run a command at the gateway."""
    return lambda *words: tdr(*words, "--gateway", gateway.http.base_url)


@pytest.fixture
def dry(tdr: Run, watched: str, posted: list[str], keys: dict[str, Address], tmp_path: Path) -> Iterator[Run]:
    """Run a command with `--dry-run` and a wrong password; in the end, only questions about the chain were posted."""
    password = tmp_path / "wrong"
    password.write_text("not the password")
    journals = tmp_path / "keys" / ".signed"

    def run(*words: object) -> Done:
        before = {file: file.read_bytes() for file in journals.glob("*")}
        done = tdr(*words, "--dry-run", "--password-file", password, "--gateway", watched)
        assert {file: file.read_bytes() for file in journals.glob("*")} == before
        return done

    yield run
    assert set(posted) == {"/rpc"}


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, Path]:
    """Where the manifest and the metadata of a dataset that is not published are kept."""
    return tmp_path / "kept.manifest.json", tmp_path / "kept.metadata.json"


@pytest.fixture
def dataset(act: Run, files: Path, kept: tuple[Path, Path]) -> str:
    """A dataset of the key owner; nothing of it is published."""
    made = ("--no-publish", "--manifest", kept[0], "--keep-metadata", kept[1])
    return str(yes(act("register", files, "--name", "x", "--key", "owner", "--json", *made))["datasetId"])


def test_a_dry_run_of_each_act_shows_the_message_that_the_act_then_signs(
    act: Run, dry: Run, dataset: str, kept: tuple[Path, Path], keys: dict[str, Address]
) -> None:
    analyst, buyer = str(keys["analyst"]), str(keys["buyer"])
    acts = [
        (("grant", dataset, analyst, "--rights", "read", "--until", "2099-01-01T00:00Z", "--key", "owner"), "grantee"),
        (("revoke", dataset, analyst, "--key", "owner"), "grantee"),
        (("request", dataset, "--rights", "read", "--until", "9d", "--purpose", "复现", "--key", "buyer"), "purpose"),
        (("transfer", dataset, buyer, "--key", "owner", "--yes"), "head"),
        (("withdraw", dataset, "--reason", "误", "--key", "buyer", "--yes"), "head"),
    ]
    for words, same in acts:
        drafted = yes(dry(*words, "--json"))
        assert drafted["dryRun"] is True
        assert drafted["message"]["datasetId"] == drafted["datasetId"] == dataset
        done = yes(act(*words, "--json"))
        told = (same, "chainId", "contract")
        assert [drafted[name] for name in told] == [done[name] for name in told]
    kinds = [item["kind"] for item in yes(act("history", dataset, "--json"))["items"]]
    assert kinds == ["registered", "transferred", "withdrawn"]


def test_a_dry_run_of_each_statement_shows_what_would_be_public(
    act: Run, dry: Run, dataset: str, kept: tuple[Path, Path]
) -> None:
    publish = ("publish", dataset, "--manifest", kept[0], "--metadata", kept[1], "--key", "owner")
    drafted = yes(dry(*publish, "--json"))
    assert drafted["published"] == ["metadata", "manifest"]
    assert drafted["message"]["contentRoot"] == json.loads(kept[0].read_text())["root"]
    assert yes(act("documents", dataset, "--json"))["items"] == []
    yes(act(*publish, "--json"))

    retract = ("retract", dataset, "--reason", "撤回", "--key", "owner")
    drafted = yes(dry(*retract, "--json"))
    assert (drafted["retracted"], drafted["message"]["reason"]) == (["manifest", "metadata"], "撤回")
    assert {item["state"] for item in yes(act("documents", dataset, "--json"))["items"]} == {"public"}

    close = ("take-requests", dataset, "--no", "--key", "owner")
    drafted = yes(dry(*close, "--json"))
    assert drafted["accepted"] is drafted["message"]["accepted"] is False
    request = ("request", dataset, "--rights", "read", "--until", "9d", "--key", "analyst")
    assert yes(dry(*request, "--json"))["message"]["purpose"] == ""
    yes(act(*close, "--json"))
    assert "does not accept requests" in refused(dry(*request))


def test_a_dry_run_without_json_says_that_nothing_was_sent(dry: Run, dataset: str, keys: dict[str, Address]) -> None:
    """Neither a terminal nor --yes is needed: nothing that needs confirmation is done."""
    done = dry("transfer", dataset, keys["buyer"], "--key", "owner")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Dry run: nothing was signed, sent or written.\n")
    assert str(keys["buyer"]) in done.out


def test_a_dry_run_of_what_would_be_refused_is_refused_in_the_same_words(
    act: Run, dry: Run, files: Path, dataset: str, kept: tuple[Path, Path], keys: dict[str, Address]
) -> None:
    analyst, buyer, owner = (str(keys[name]) for name in ("analyst", "buyer", "owner"))
    others = (
        ("revise", dataset, files, "--metadata", kept[1]),
        ("transfer", dataset, buyer, "--yes"),
        ("withdraw", dataset, "--yes"),
        ("grant", dataset, analyst, "--rights", "read", "--until", "1d"),
        ("publish", dataset, "--metadata", kept[1]),
        ("take-requests", dataset, "--no"),
    )
    for words in others:
        said = refused(dry(*words, "--key", "buyer"))
        assert said.startswith(f"Only {owner} may do this, but this key signs for {buyer}."), words
    by_owner = (
        ("grant", dataset, analyst, "--rights", "read", "--from", "2021-01-01", "--until", "2020-01-01"),
        ("revoke", dataset, analyst),
        ("revise", dataset, files, "--metadata", kept[1], "--source", f"{dataset}@2"),
        ("retract", dataset),
        ("withdraw", dataset, "--yes", "--reason", "r" * 5000),
    )
    for words in by_owner:
        before = refused(dry(*words, "--key", "owner"))
        assert before == refused(act(*words, "--key", "owner")), words
    assert "has no version 2" in refused(dry("publish", f"{dataset}@2", "--metadata", kept[1], "--key", "owner"))
    other = kept[0].with_name("other.json")
    other.write_text('{"name":"another"}')
    assert "is neither" in refused(dry("publish", dataset, "--metadata", other, "--key", "owner"))
    yes(act("withdraw", dataset, "--yes", "--key", "owner", "--json"))
    grant = ("grant", dataset, analyst, "--rights", "read", "--until", "1d", "--key", "owner")
    assert "withdrawn" in refused(dry(*grant))
    problem = dry(*grant, "--json")
    assert (problem.code, problem.json["error"]) == (2, "DatasetWithdrawn")


def test_a_dry_run_about_a_dataset_that_the_chain_does_not_have_is_refused_as_by_the_contract(
    gateway: Gateway, keys: dict[str, Address], tmp_path: Path
) -> None:
    """The gateway can name any dataset; only the chain shows which exist."""
    unknown = DatasetId(keccak256(b"never registered"))
    withdrawal = Withdrawal(dataset_id=unknown, head=ZERO_BYTES32, reason="", deadline=FAR)
    policy = RequestPolicy(dataset_id=unknown, accepted=True, issued_at=0, deadline=FAR)
    url = str(gateway.http.base_url)
    with open_session(url, tmp_path / "keys", "owner", None, dry_run=True) as signing:
        with pytest.raises(ContractRefused, match=f"There is no dataset {unknown}") as refusal:
            show_message(signing, withdrawal, {}, as_json=True)
        assert refusal.value.name == "DatasetUnknown"
        with pytest.raises(ContractRefused, match=f"There is no dataset {unknown}"):
            show_statement(signing, policy, {}, unknown=errors.unknown(unknown), as_json=True)
