"""The command line without a gateway: help, errors on one line, exit codes, keys, settings, what a command loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry.base.errors import RegistryError
from registry.keys.signer import Signer
from registry.manifest import Manifest
from tests.cli.conftest import UNREACHABLE, Run
from tests.fixtures.commands import refused

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
PIN = f"DatasetRegistry={ADDRESS}"
ID = "0x" + "ab" * 32
COMMANDS = (  # noqa: SIM905
    "up keys register revise transfer withdraw grant revoke request requests access show history list find verify "
    "receipt gateway relayer indexer index config"
).split()
NESTED = (
    ("keys", "new"),
    ("keys", "list"),
    ("keys", "import"),
    ("keys", "export"),
    ("contacts", "add"),
    ("contacts", "remove"),
    ("index", "rebuild"),
    ("index", "check"),
    ("config", "show"),
)


def test_help_lists_every_command(tdr: Run) -> None:
    done = tdr("--help")
    assert done.code == 0
    listed = [line.split()[0] for line in done.out.partition("Commands:")[2].splitlines() if line.startswith("  ")]
    assert [name for name in COMMANDS if name not in listed] == []


def test_without_a_command_the_help_is_shown(tdr: Run) -> None:
    assert tdr().out == tdr("--help").out


def test_the_version_is_that_of_the_package(tdr: Run) -> None:
    done = tdr("--version")
    assert (done.code, done.out) == (0, "tdr 0.1.0\n")


@pytest.mark.parametrize(
    "words", [(name,) for name in COMMANDS if name not in ("keys", "index", "config")] + list(NESTED), ids=" ".join
)
def test_every_command_has_help_with_an_example(tdr: Run, words: tuple[str, ...]) -> None:
    done = tdr(*words, "--help")
    assert done.code == 0
    assert "Example" in done.out
    assert f"tdr {' '.join(words)}" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nosuch",), "No such command 'nosuch'. See `tdr --help`."),
        (("regster",), "Did you mean 'register'"),
        (("keys",), "Missing command. See `tdr keys --help`."),
        (("verify",), "Give what to compare with"),
        (("verify", ".", "--nosuch"), "--nosuch"),
        (("up", "--port", "many"), "--port"),
        (("access", "12345678", "0x1234"), "An address is 0x and 40 hex digits"),
        (("access", "12345678", ADDRESS.replace("C5", "c5")), "EIP-55 checksum"),
        (("access", "1234567", ADDRESS), "Not a dataset id"),
        (("access", "0x" + "a" * 65, ADDRESS), "Not a dataset id"),
        (("access", "12345678", ADDRESS, "--at", "yesterday"), "Not a time"),
        (("grant", "12345678", ADDRESS, "--rights", "fly", "--until", "1d"), "Unknown right 'fly'"),
        (("grant", "12345678", ADDRESS, "--rights", ",", "--until", "1d"), "No right was given"),
        (("grant", "12345678", ADDRESS, "--rights", "read", "--until", "1 day"), "Not a time"),
        (("grant", "12345678", ADDRESS, "--rights", "read", "--until", "1d", "--terms", "nosuch"), "nosuch"),
        (("show", "12345678"), "tdr up"),
        (("list",), "tdr up"),
        (("history", "12345678"), "tdr up"),
        (("receipt", "1f" * 16), "tdr up"),
        (("receipt", "x"), "32 hex digits"),
        (("find", "a" * 64), "tdr up"),
        (("find", "nosuch"), "neither a file or folder here nor a SHA-256 hash"),
        (("verify", ".", "--dataset", "12345678"), "give the dataset's id in full"),
        (("verify", ".", "--dataset", ID), "Give it with --contract NAME=ADDRESS"),
        (
            ("verify", ".", "--dataset", ID, "--contract", f"DatasetRegistry={ADDRESS}"),
            "No JSON-RPC endpoint gave a usable answer",
        ),
        (("verify", "."), "--dataset ID, --manifest FILE, --bundle FILE or --credential FILE"),
        (("verify", ".", "--rpc", "http://x"), "--rpc goes with --bundle or --dataset"),
        (("verify", ".", "--issuer", "did:key:z"), "--issuer goes with --credential"),
        (("show", "12345678", "--gateway", "ftp://x"), "http:// or https://"),
        (("show", "12345678", "--gateway", "nonsense"), "http:// or https://"),
        (("verify", ".", "--dataset", ID, "--rpc", "http://127.0.0.1:99999"), "http:// or https://"),
        (("watch", ".", "--dataset", ID, "--webhook", "http://[::1"), "http:// or https://"),
        (("watch", ".", "--dataset", ID, "--every", "99999999999999h"), "to 3650 days"),
        (("list", "--name", "\udcff"), "UTF-8"),
        (("list", "--search", "\udcff"), "UTF-8"),
        (("access", "12345678", ADDRESS, "--at", f"{'9' * 5000}d"), "Not a time"),
        (("lineage", f"12345678@000000001{'0' * 5000}"), "give a version number"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_bad_input_is_told_on_one_line(tdr: Run, words: tuple[str, ...], said: str) -> None:
    assert said in refused(tdr(*words))


def test_a_node_that_does_not_run_is_told_with_how_to_start_it(tdr: Run, files: Path, key: Signer) -> None:
    said = refused(tdr("register", files, "--name", "x"))
    assert said.startswith(f"No gateway answers at {UNREACHABLE}. Start a node with `tdr up`")


def test_without_a_key_register_says_how_to_make_one(tdr: Run, files: Path) -> None:
    assert "tdr keys new" in refused(tdr("register", files))


def test_of_several_keys_one_has_to_be_named(tdr: Run, files: Path, key: Signer) -> None:
    assert tdr("keys", "new", "bob").code == 0
    assert "--key NAME" in refused(tdr("register", files))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--private",), "--manifest FILE"),
        (("--deadline", "soon"), "Not a time"),
        (("--metadata", "nosuch.json"), "nosuch.json"),
        (("--list", "nosuch.txt"), "either the PATH"),
        (("--password-file", "nosuch.txt"), "nosuch.txt"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_done(
    tdr: Run, files: Path, options: tuple[str, ...], said: str
) -> None:
    done = tdr("register", files, *options)
    assert done.code == 2
    if said != "nosuch.txt":  # A password is asked for only where a gateway answers.
        assert said in done.err


def test_a_manifest_replaces_no_file(tdr: Run, files: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    said = refused(tdr("register", files, "--manifest", kept))
    assert "already exists" in said
    assert "keep it until you know its outcome" in said
    assert kept.read_text() == "mine"


def test_a_manifest_is_not_written_into_the_dataset(tdr: Run, files: Path) -> None:
    assert "is inside the dataset" in refused(tdr("register", files, "--manifest", files / "m.json"))


def test_a_key_is_made_and_listed_without_its_secret(tdr: Run, tmp_path: Path) -> None:
    made = tdr("keys", "new", "数据", "--json")
    assert made.code == 0
    listed = tdr("keys", "list", "--json")
    assert listed.json["items"] == [made.json]
    assert made.json["address"] in tdr("keys", "list").out
    assert Path(made.json["file"]).stat().st_mode & 0o777 == 0o600


def test_a_broken_key_file_hides_no_other_key(tdr: Run, key: Signer, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "keys" / "pipe.json")
    (tmp_path / "keys" / "junk.json").write_text("junk")
    done = tdr("keys", "list", "--json")
    assert done.code == 0
    assert [one["name"] for one in done.json["items"]] == ["alice"]
    assert [line.startswith("warning: The key file ") for line in done.err.splitlines()] == [True, True]
    assert "junk.json" in done.err
    assert "pipe.json" in done.err


@pytest.mark.parametrize("action", ["check", "rebuild"])
def test_an_index_that_is_not_there_is_not_made_to_be_looked_at(tdr: Run, tmp_path: Path, action: str) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "nowhere", tmp_path / "empty"):
        said = refused(tdr("index", action, "--data", folder))
        assert f"no chain in the data folder {folder}" in said
    assert "no database" in refused(tdr("index", "check", "--data", tmp_path / "nowhere", "--rpc", UNREACHABLE))
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_a_key_name_that_is_taken_is_refused(tdr: Run, key: Signer) -> None:
    assert "The key 'alice' already exists" in refused(tdr("keys", "new", "alice"))


def test_without_keys_the_list_says_how_to_make_one(tdr: Run) -> None:
    assert "tdr keys new" in tdr("keys", "list").out
    assert tdr("keys", "list", "--json").json == {"items": []}


def test_a_password_comes_from_a_file_before_the_environment(tdr: Run, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("")
    assert "at least 8 characters" in refused(tdr("keys", "new", "bob", "--password-file", tmp_path / "password"))


def test_without_password_and_terminal_the_error_says_how_to_give_one(
    tdr: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TDR_KEY_PASSWORD")
    said = refused(tdr("keys", "new", "bob"))
    assert "--password-file" in said
    assert "TDR_KEY_PASSWORD" in said


def test_settings_are_shown_with_their_sources_and_without_secrets(tdr: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """R10: no password in what is printed."""
    monkeypatch.setenv("TDR_PORT", "8123")
    monkeypatch.setenv("TDR_DATABASE_URL", "postgresql://tdr:canary-4711@db.example/tdr")
    shown = tdr("config", "show", "--json")
    assert shown.json["port"] == {"value": "8123", "source": "TDR_PORT"}
    assert shown.json["host"]["source"] == "default"
    assert "canary-4711" not in shown.out + tdr("config", "show").out


def test_a_fault_of_ours_never_says_no(tdr: Run, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 means "different" or "not allowed"; an unexpected exception must not look like an answer."""

    def broken(source: object) -> Manifest:
        raise ZeroDivisionError

    monkeypatch.setattr(Manifest, "parse", broken)
    (files.parent / "m.json").write_text("{}")
    done = tdr("verify", files, "--manifest", files.parent / "m.json")
    assert done.code == 2
    assert done.err.endswith("Please report it with the lines above.\n")
    assert not issubclass(ZeroDivisionError, RegistryError)


LIGHT = """
import sys
from registry.cli.app import main
try:
    main({arguments!r})
finally:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "banned"),
    [
        (["verify", "--help"], {"web3", "httpx", "rich", "eth_account", "eth_keyfile", "sqlalchemy", "fastapi"}),
        (["verify", ".", "--manifest", "nosuch"], {"web3", "httpx", "eth_account", "eth_keyfile", "sqlalchemy"}),
        (["keys", "list", "--json"], {"web3", "httpx", "eth_account", "eth_keyfile", "sqlalchemy", "rich"}),
        (["show", "12345678"], {"web3", "eth_account", "eth_keyfile", "sqlalchemy", "fastapi", "eth_tester"}),
        (["register", "nosuch"], {"web3", "eth_account", "sqlalchemy", "fastapi", "eth_tester"}),
        (["verify", ".", "--dataset", ID], {"web3", "eth_account", "eth_keyfile", "sqlalchemy", "fastapi", "eth"}),
        (["verify", ".", "--dataset", "12345678"], {"registry.chain.rpc", "registry.evidence", "orjson"}),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_command_loads_only_what_it_uses(arguments: list[str], banned: set[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT.format(arguments=arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "TDR_GATEWAY": UNREACHABLE, "TDR_KEYS": str(tmp_path / "keys")},
        cwd=tmp_path,
        check=False,
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "typer" in loaded
    assert banned & loaded == set()
