"""Names for accounts: keys and contacts are accepted in place of addresses; and one grammar for ids."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from registry.keys.signer import Signer
from tests.cli.conftest import PASSWORD, Run
from tests.fixtures.commands import TDR, refused
from tests.fixtures.waiting import PATIENCE

BOB = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CAROL = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
ID = "ab" * 32


def test_a_contact_is_added_listed_shown_and_removed(tdr: Run, tmp_path: Path) -> None:
    assert tdr("contacts", "add", "鲍勃", BOB.lower(), "--json").json == {"name": "鲍勃", "address": BOB}
    assert tdr("contacts", "add", "鲍勃", BOB).code == 0
    assert BOB in refused(tdr("contacts", "add", "鲍勃", CAROL))
    assert tdr("contacts", "add", "鲍勃", CAROL, "--replace").code == 0
    assert tdr("contacts", "list", "--json").json == {"items": [{"name": "鲍勃", "address": CAROL}]}
    assert tdr("contacts", "show", "鲍勃", "--json").json["address"] == CAROL
    file = tmp_path / "keys" / ".contacts"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {"鲍勃": CAROL}
    assert tdr("contacts", "remove", "鲍勃").code == 0
    assert "no contact" in refused(tdr("contacts", "remove", "鲍勃"))
    assert "tdr contacts add" in tdr("contacts", "list").out
    assert tdr("keys", "list", "--json").json == {"items": []}


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("bob", BOB[:-1], "40 hex digits"),
        ("bob", BOB.replace("C5", "c5"), "EIP-55"),
        ("bob", "0x" + "0" * 40, "zero address"),
        ("0xbob", BOB, "looks like an address"),
        ("a" * 40, BOB, "looks like an address"),
        ("../bob", BOB, "is not a name for a key"),
        ("", BOB, "is not a name for a key"),
        ("bob\n", BOB, "is not a name for a key"),
    ],
)
def test_no_other_name_or_address_is_taken(tdr: Run, name: str, address: str, said: str) -> None:
    assert said in refused(tdr("contacts", "add", name, address))


def test_names_in_either_unicode_form_are_one_contact(tdr: Run) -> None:
    assert tdr("contacts", "add", "Jose\u0301", BOB).code == 0
    assert tdr("contacts", "show", "Jos\u00e9", "--json").json["address"] == BOB


def test_a_name_shows_its_address_wherever_it_is_used(tdr: Run, key: Signer) -> None:
    tdr("contacts", "add", "bob", BOB)
    for words in (
        ("access", ID, "bob"),
        ("list", "--owner", "bob"),
        ("revoke", ID, "bob"),
        ("grant", ID, "bob", "--rights", "read", "--until", "1d"),
        ("transfer", ID, "bob", "--yes"),
        ("export", ID, "--grantee", "bob"),
    ):
        said = tdr(*words).err.splitlines()
        assert said[0] == f"note: bob is {BOB}, a contact."
        assert said[1].startswith("error: No gateway answers")
    assert f"alice is {key.address}, a key of yours" in tdr("access", ID, "alice").err


def test_a_name_of_two_accounts_is_refused(tdr: Run, key: Signer, tmp_path: Path) -> None:
    assert str(key.address) in refused(tdr("contacts", "add", "alice", BOB))
    assert tdr("contacts", "add", "alice", key.address).code == 0
    (tmp_path / "keys" / ".contacts").write_text(json.dumps({"alice": BOB}))
    said = refused(tdr("access", ID, "alice"))
    assert BOB in said
    assert str(key.address) in said


def test_an_unknown_name_and_a_damaged_book_are_told(tdr: Run, key: Signer, tmp_path: Path) -> None:
    assert "neither an address nor the name of a key or contact" in refused(tdr("access", ID, "nobody"))
    for content in ("[]", "{", '{"bob": "0x12"}', '{"bob": 1}'):
        (tmp_path / "keys" / ".contacts").write_text(content)
        assert "is damaged" in refused(tdr("access", ID, "bob"))
        assert "is damaged" in refused(tdr("contacts", "add", "carol", CAROL))
        assert (tmp_path / "keys" / ".contacts").read_text() == content


def test_contacts_that_are_added_at_once_are_all_kept(tmp_path: Path) -> None:
    names = [f"name{number}" for number in range(6)]
    adding = [
        subprocess.Popen([TDR, "contacts", "add", name, BOB, "--keys", tmp_path], stdout=subprocess.DEVNULL)
        for name in names
    ]
    assert [one.wait(PATIENCE) for one in adding] == [0] * len(names)
    assert sorted(json.loads((tmp_path / ".contacts").read_text())) == names
    assert [path.name for path in tmp_path.iterdir()] == [".contacts"]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "{}"),
        ("export", "{}"),
        ("certificate", "{}"),
        ("lineage", "{}"),
        ("retract", "{}", "--key", "alice"),
        ("verify", ".", "--dataset", "{}"),
        ("watch", ".", "--once", "--dataset", "{}"),
        ("register", ".", "--source", "{}", "--key", "alice"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_about_a_version_takes_id_at_version(tdr: Run, key: Signer, words: tuple[str, ...]) -> None:
    for identity in (ID, ID[:8], f"0x{ID}"):
        done = tdr(*(word.format(f"{identity}@2") for word in words))
        assert "No gateway answers" in done.err + done.out
    if words[0] != "register":  # It reads its sources where a gateway answers.
        for wrong in (f"{ID}@0", f"{ID}@x", f"{ID}@"):
            assert "After @" in refused(tdr(*(word.format(wrong) for word in words)))


@pytest.mark.parametrize(
    "words", [("history",), ("requests",), ("withdraw", "--yes"), ("access", BOB), ("revise", ".")], ids=lambda w: w[0]
)
def test_a_version_where_the_whole_dataset_is_meant_is_refused(tdr: Run, key: Signer, words: tuple[str, ...]) -> None:
    assert "names a version" in refused(tdr(words[0], f"{ID}@2", *words[1:]))


def test_two_versions_at_once_are_refused(tdr: Run) -> None:
    assert "--version 3" in refused(tdr("export", f"{ID}@2", "--version", 3))
    assert "No gateway" in refused(tdr("export", f"{ID}@2", "--version", 2))


def test_the_gateway_is_named_before_or_after_the_command(tdr: Run) -> None:
    before, after, environment = "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:9"
    assert before in refused(tdr("--gateway", before, "show", ID))
    assert before in refused(tdr(f"--gateway={before}", "list"))
    assert after in refused(tdr("--gateway", before, "show", ID, "--gateway", after))
    assert environment in refused(tdr("show", ID))
    assert tdr("--gateway", before, "keys", "list").code == 0
    assert PASSWORD not in refused(tdr("--gateway"))
