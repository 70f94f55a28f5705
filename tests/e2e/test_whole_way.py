"""From a folder to a proof, through the command line, HTTP and a chain: the usual steps and common mistakes."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from registry.keys.signer import Signer
from registry.manifest import Manifest, hash_path
from tests.e2e.registering import register
from tests.fixtures.commands import refused, yes
from tests.fixtures.nodes import NodeProcess, Tdr

UNKNOWN = "0x" + "ab" * 32


def test_register_and_revise_say_all_that_scripts_need(tdr: Tdr, files: Path) -> None:
    first = register(tdr, files)
    assert first["contentRoot"] == str(hash_path(files).root)
    assert (first["version"], first["files"]) == (1, 3)
    (files / "c.csv").write_text("5\n")
    second = yes(tdr("revise", first["datasetId"], files, "--key", "owner", "--json"))
    assert second["datasetId"] == first["datasetId"]
    assert (second["version"], second["files"]) == (2, 4)
    assert second["head"] != first["head"]
    for document in (first, second):
        assert isinstance(document["blockNumber"], int)
        assert len(str(document["transactionHash"])) == 66


def test_the_head_that_is_printed_is_the_one_on_the_chain(tdr: Tdr, files: Path) -> None:
    """C3 and C12: the fold here, the fold of the index, and the contract's storage are one."""
    done = register(tdr, files)
    dataset = str(done["datasetId"])
    assert yes(tdr("show", dataset, "--json"))["head"] == done["head"]
    verified = yes(tdr("verify", files, "--dataset", dataset, "--json"))
    assert any(str(done["head"]) in step for step in verified["steps"])


def test_metadata_of_the_version_before_stays_unless_given_again(tdr: Tdr, files: Path) -> None:
    done = register(tdr, files, "--license", "CC0-1.0", "--keyword", "企鹅", "--keyword", "bill")
    yes(tdr("revise", done["datasetId"], files, "--description", "New words", "--key", "owner", "--json"))
    metadata = yes(tdr("show", done["datasetId"], "--json"))["metadata"]
    assert metadata == {
        "name": f"企鹅 {files.parent.name}",
        "license": "CC0-1.0",
        "keywords": ["企鹅", "bill"],
        "description": "New words",
    }


def test_metadata_from_a_file_is_registered_by_its_hash(tdr: Tdr, files: Path, tmp_path: Path) -> None:
    document = {"name": "From a file", "spatial": {"lat": -64.77}, "n": 344}
    (tmp_path / "metadata.json").write_text(json.dumps(document))
    done = yes(tdr("register", files, "--metadata", tmp_path / "metadata.json", "--key", "owner", "--json"))
    shown = yes(tdr("show", done["datasetId"], "--json"))
    assert shown["metadata"] == document
    # RFC 8785 by hand: keys sorted, no spaces.
    canonical = b'{"n":344,"name":"From a file","spatial":{"lat":-64.77}}'
    assert shown["metadataHash"] == f"0x{sha256(canonical).hexdigest()}"


@pytest.mark.parametrize("length", [8, 9, 63, 64])
@pytest.mark.parametrize("prefix", ["", "0x"])
def test_an_id_may_be_cut_to_eight_digits(tdr: Tdr, files: Path, length: int, prefix: str) -> None:
    dataset = str(register(tdr, files)["datasetId"])
    shown = yes(tdr("show", prefix + dataset[2 : 2 + length], "--json"))
    assert shown["datasetId"] == dataset


def test_files_that_are_unchanged_verify_and_each_changed_one_is_named(tdr: Tdr, files: Path) -> None:
    dataset = register(tdr, files)["datasetId"]
    good = yes(tdr("verify", files, "--dataset", dataset, "--json"))
    assert good["verified"] is True
    assert good["mismatches"] == []
    assert (good["datasetId"], good["version"]) == (dataset, 1)
    assert good["asOfBlock"] >= 1
    assert good["notProven"]
    by_prefix = yes(tdr("verify", files, "--dataset", dataset[:10], "--json"))
    assert any(dataset in line for line in by_prefix["notProven"])
    before = sha256((files / "a.csv").read_bytes()).hexdigest()
    (files / "a.csv").write_text("other")
    (files / "b.csv").unlink()
    (files / "d.csv").write_text("more")
    bad = tdr("verify", files, "--dataset", dataset, "--json")
    assert bad.code == 1
    assert bad.json["verified"] is False
    assert bad.json["mismatches"] == [
        {"path": "a.csv", "expected": before, "found": sha256(b"other").hexdigest()},
        {"path": "b.csv", "expected": sha256(b"").hexdigest(), "found": None},
        {"path": "d.csv", "expected": None, "found": sha256(b"more").hexdigest()},
    ]


def test_each_version_verifies_for_itself(tdr: Tdr, files: Path) -> None:
    dataset = register(tdr, files)["datasetId"]
    (files / "a.csv").write_text("second\n")
    yes(tdr("revise", dataset, files, "--key", "owner", "--json"))
    assert tdr("verify", files, "--dataset", dataset).code == 0
    assert tdr("verify", files, "--dataset", dataset, "--version", 2).code == 0
    assert tdr("verify", files, "--dataset", dataset, "--version", 1).code == 1
    assert "versions 1 to 2" in refused(tdr("verify", files, "--dataset", dataset, "--version", 3))


def test_verify_needs_no_gateway_but_a_node_and_the_contract(tdr: Tdr, node: NodeProcess, files: Path) -> None:
    dataset = register(tdr, files)["datasetId"]
    registry = httpx.get(f"{node.url}/v1/deployment").json()["contracts"]["DatasetRegistry"]["address"]
    options = ("--dataset", dataset, "--rpc", f"{node.url}/rpc", "--contract", f"DatasetRegistry={registry}")
    nowhere = {"TDR_GATEWAY": "http://127.0.0.1:9"}
    assert tdr("verify", files, *options, **nowhere).code == 0
    (files / "a.csv").write_text("other")
    done = tdr("verify", files, *options, "--json", **nowhere)
    assert done.code == 1
    # Without a manifest the answer is still no, but not which file.
    assert [one["path"] for one in done.json["mismatches"]] == ["."]


def test_a_contract_that_is_not_the_registry_is_not_believed(tdr: Tdr, node: NodeProcess, files: Path) -> None:
    dataset = register(tdr, files)["datasetId"]
    grants = httpx.get(f"{node.url}/v1/deployment").json()["contracts"]["AccessGrants"]["address"]
    verify = ("verify", files, "--dataset", dataset, "--contract")
    assert "does not have the code" in refused(tdr(*verify, f"DatasetRegistry={grants}"))
    account = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert "no contract" in refused(tdr(*verify, f"DatasetRegistry={account}"))


def test_a_dataset_that_does_not_exist_cannot_be_told(tdr: Tdr, files: Path) -> None:
    assert UNKNOWN in refused(tdr("verify", files, "--dataset", UNKNOWN))
    assert refused(tdr("show", UNKNOWN))
    assert refused(tdr("show", UNKNOWN[:12]))


def test_a_private_dataset_verifies_with_its_manifest_alone(tdr: Tdr, files: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.manifest.json"
    done = register(tdr, files, "--private", "--manifest", kept)
    assert kept.stat().st_mode & 0o777 == 0o600
    manifest = Manifest.parse(kept.read_bytes())
    assert manifest.is_private
    assert str(manifest.root) == done["contentRoot"]
    # Neither the gateway's index nor its documents let anybody guess a file.
    assert tdr("find", files / "a.csv").code == 1
    assert tdr("verify", files, "--dataset", done["datasetId"], "--manifest", kept).code == 0
    without = tdr("verify", files, "--dataset", done["datasetId"])
    assert without.code == 1
    assert "private" in without.out


def test_a_list_by_sha256sum_can_be_registered_and_verified(tdr: Tdr, files: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes(
        subprocess.run(
            ["sha256sum", "a.csv", "b.csv", "子目录/数据.csv"], cwd=files, capture_output=True, check=True
        ).stdout
    )
    done = yes(tdr("register", "--list", listed, "--name", "List", "--key", "owner", "--json"))
    assert done["files"] == 3
    assert tdr("verify", files, "--dataset", done["datasetId"]).code == 0


def test_a_list_that_is_cut_off_says_so(tdr: Tdr, files: Path) -> None:
    for name in ("甲", "乙"):
        (files / "a.csv").write_text(name)
        register(tdr, files)
    assert "There are more than these 1" in tdr("list", "--limit", "1").out
    cut = yes(tdr("list", "--limit", "1", "--json"))
    assert (len(cut["items"]), cut["more"]) == (1, True)
    assert yes(tdr("list", "--limit", "10000", "--json"))["more"] is False


def test_files_registered_as_a_list_without_sizes_are_found_by_their_folder(
    tdr: Tdr, files: Path, tmp_path: Path
) -> None:
    lines = [f"{sha256(one.read_bytes()).hexdigest()}  {one.relative_to(files)}" for one in files.rglob("*.csv")]
    listed = tmp_path / "SHA256SUMS"
    listed.write_text("\n".join(lines) + "\n")
    made = yes(tdr("register", "--list", listed, "--name", "x", "--key", "owner", "--json"))
    assert made["datasetId"] in [one["datasetId"] for one in yes(tdr("find", files, "--json"))["claims"]]
    done = tdr("verify", files, "--dataset", made["datasetId"])
    assert "names and contents are those of the manifest" in done.out


def test_a_file_a_folder_and_a_hash_find_every_claimant_in_order(
    tdr: Tdr, files: Path, keys: dict[str, Signer]
) -> None:
    first = register(tdr, files)
    second = register(tdr, files, key="buyer")
    digest = sha256((files / "a.csv").read_bytes()).hexdigest()
    for what in (files / "a.csv", digest, f"0x{digest}", files, first["contentRoot"]):
        claims = yes(tdr("find", what, "--json"))["claims"]
        assert [claim["datasetId"] for claim in claims] == [first["datasetId"], second["datasetId"]]
        assert [claim["claimant"] for claim in claims] == [str(keys[name].address) for name in ("owner", "buyer")]
    unknown = tdr("find", sha256(b"no one has this").hexdigest(), "--json")
    assert (unknown.code, unknown.json["claims"]) == (1, [])


def test_sources_are_shown_and_must_exist(tdr: Tdr, files: Path) -> None:
    source = register(tdr, files)["datasetId"]
    (files / "a.csv").write_text(f"derived from {source}\n")
    derived = register(tdr, files, "--source", f"{str(source)[:10]}@1")
    assert yes(tdr("show", derived["datasetId"], "--json"))["sources"] == [{"datasetId": source, "version": 1}]
    words = ("register", files, "--name", "x", "--key", "owner", "--source")
    assert "has no version 2" in refused(tdr(*words, f"{source}@2"))
    assert refused(tdr(*words, f"{UNKNOWN}@1"))
    assert "ID@VERSION" in refused(tdr(*words, str(source)))


def test_no_wait_gives_the_receipt_at_once(tdr: Tdr, files: Path) -> None:
    done = register(tdr, files, "--no-wait")
    assert done["status"] in ("accepted", "signed", "sent", "mined", "final")
    ended = yes(tdr("receipt", done["receipt"], "--wait", 30, "--json"))
    assert ended["status"] in ("mined", "final")
    assert ended["datasetId"] == done["datasetId"]


def test_waiting_until_final_is_waiting_until_final(tdr: Tdr, files: Path) -> None:
    assert register(tdr, files, "--wait", "final")["status"] == "final"


def test_lists_and_tables_are_for_people(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    dataset = str(register(tdr, files)["datasetId"])
    name = f"企鹅 {files.parent.name}"
    listed = tdr("list", "--owner", keys["owner"].address).out
    assert any(line.startswith(dataset[:10]) and name in line for line in listed.splitlines())
    shown = tdr("show", dataset).out
    assert name in shown
    assert " UTC" in shown
    assert "registered" in tdr("history", dataset).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--password-file", "{wrong}"), "password of the key 'owner' is wrong"),
        (("--password-file", "{missing}"), "cannot be read"),
        (("--deadline", "1s", "--key", "mallory"), "There is no key 'mallory'"),
        (("--uri", "x" * 513), "513"),
        (("--license", "\udcff"), "UTF-8"),
    ],
    ids=("wrong password", "no password file", "no such key", "long uri", "no Unicode"),
)
def test_what_is_wrong_with_a_registration_is_said(
    tdr: Tdr, files: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "wrong").write_text("not it")
    filled = [word.format(wrong=tmp_path / "wrong", missing=tmp_path / "missing") for word in words]
    done = tdr("register", files, "--name", "x", *([] if "--key" in words else ["--key", "owner"]), *filled)
    assert said in refused(done)


@pytest.mark.parametrize("trap", ["empty", "link", "fifo", "backslash", "collision", "missing"])
def test_what_cannot_be_a_dataset_is_refused_by_name(tdr: Tdr, tmp_path: Path, trap: str) -> None:
    folder = tmp_path / "trap"
    folder.mkdir()
    match trap:
        case "link":
            (folder / "trapped").symlink_to("/etc/hostname")
        case "fifo":
            subprocess.run(["mkfifo", folder / "trapped"], check=True)
        case "backslash":
            (folder / "trapped\\x").write_text("")
        case "collision":
            (folder / "trapped").write_text("")
            (folder / "TRAPPED").write_text("")
        case "missing":
            folder = folder / "trapped"
    said = refused(tdr("register", folder, "--name", "x", "--key", "owner"))
    assert ("trap" if trap == "empty" else "trapped") in said.lower()


def test_what_is_left_out_is_told_and_stands_in_the_metadata(tdr: Tdr, files: Path) -> None:
    (files / ".tdrignore").write_text("*.tmp\n")
    for name in (".git/index", "x.tmp", "notes.log"):
        (files / name).parent.mkdir(exist_ok=True)
        (files / name).write_text(name)
    done = tdr("register", files, "--exclude", "*.log", "--key", "owner", "--json")
    made = yes(done)
    assert (made["files"], made["leftOut"]) == (4, 3)
    assert done.err == "note: 3 items left out: .git/, notes.log, x.tmp.\n"
    told = yes(tdr("show", made["datasetId"], "--json"))["metadata"]["leftOut"]
    assert (told["count"], told["links"], told["patterns"][-2:]) == (3, "refuse", ["*.tmp", "*.log"])
    (files / "notes.log").unlink()
    assert [claim["datasetId"] for claim in yes(tdr("find", files, "--json"))["claims"]] == [made["datasetId"]]
    (files / "notes.log").write_text("notes.log")
    command = ("verify", files, "--dataset", made["datasetId"], "--json")
    assert [one["path"] for one in tdr(*command).json["mismatches"]] == ["notes.log"]
    assert yes(tdr(*command, "--exclude", "*.log"))["notCompared"] == [".git/", "notes.log", "x.tmp"]
    (files / "notes.log").unlink()
    (files / "x.tmp").unlink()
    (files / ".git/index").unlink()
    (files / ".git").rmdir()
    revised = yes(tdr("revise", made["datasetId"], files, "--key", "owner", "--json"))
    assert revised["contentRoot"] == made["contentRoot"]
    assert "leftOut" not in yes(tdr("show", made["datasetId"], "--json"))["metadata"]


def test_each_version_is_shown_and_exported_by_its_number(tdr: Tdr, files: Path, tmp_path: Path) -> None:
    first = register(tdr, files)
    (files / "a.csv").write_text("5,6\n")
    second = yes(tdr("revise", first["datasetId"], files, "--key", "owner", "--json"))
    for number, made in ((1, first), (2, second)):
        shown = yes(tdr("show", f"{first['datasetId']}@{number}", "--json"))
        assert (shown["version"], shown["latestVersion"]) == (number, 2)
        assert (shown["contentRoot"], shown["head"]) == (made["contentRoot"], made["head"])
    assert "1 of 2" in tdr("show", f"{first['datasetId'][:18]}@1").out
    assert "no version 3" in refused(tdr("show", f"{first['datasetId']}@3"))
    file = tmp_path / "first.tdr.json"
    yes(tdr("export", f"{first['datasetId']}@1", "-o", file, "--json"))
    assert yes(tdr("verify", files, "--dataset", f"{first['datasetId']}@2", "--json"))["version"] == 2
    assert tdr("verify", files, "--dataset", f"{first['datasetId']}@1").code == 1


def test_a_dry_run_shows_what_would_be_registered_and_changes_nothing(tdr: Tdr, files: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "dry.manifest.json"
    command = ("register", files, "--name", "数据", "--key", "owner", "--manifest", manifest)
    drafted = yes(tdr(*command, "--dry-run", "--json", TDR_KEY_PASSWORD="not the password"))
    assert not manifest.exists()
    assert drafted["metadata"] == {"name": "数据"}
    assert drafted["published"] == ["metadata", "manifest"]
    assert tdr("find", drafted["contentRoot"]).code == 1
    assert "nothing was signed" in tdr(*command, "--dry-run").out
    made = yes(tdr(*command, "--json"))
    same = ("version", "contentRoot", "files", "bytes", "chainId", "contract")
    assert [drafted[name] for name in same] == [made[name] for name in same]
    assert (drafted["signer"], drafted["message"]["owner"]) == (made["owner"], made["owner"])
    (files / "a.csv").write_text("5,6\n")
    again = ("revise", made["datasetId"], files, "--key", "owner", "--json")
    revised = yes(tdr(*again, "--dry-run"))
    assert yes(tdr("show", made["datasetId"], "--json"))["version"] == 1
    assert yes(tdr(*again))["head"] == revised["head"]
