"""From a folder to a proof, through the command line, HTTP and a chain: what users do, and what they get wrong."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from registry.keys.signer import Signer
from registry.manifest import Manifest, hash_path
from tests.fixtures.commands import refused, yes
from tests.fixtures.nodes import PASSWORD, NodeProcess, Tdr, running
from tests.fixtures.waiting import wait_for_the_next_second

UNKNOWN = "0x" + "ab" * 32


def register(tdr: Tdr, folder: Path, *options: object, key: str = "owner") -> dict[str, object]:
    return yes(tdr("register", folder, "--name", f"企鹅 {folder.parent.name}", "--key", key, "--json", *options))


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


def test_a_node_that_others_cannot_reach_names_the_setting_that_certificates_need(node: NodeProcess) -> None:
    (line,) = [line for line in node.said if "TDR_PUBLIC_URL" in line]
    assert "others" in line


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
    nobody = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert "no contract" in refused(tdr(*verify, f"DatasetRegistry={nobody}"))


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


def test_access_is_as_granted_before_during_and_after(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    """C8, through the command line."""
    dataset, analyst = register(tdr, files)["datasetId"], keys["analyst"].address
    before = tdr("access", dataset, analyst, "--json")
    assert before.code == 1
    assert before.json["allowed"] is False
    grant = yes(tdr("grant", dataset, analyst, "--rights", "read,derive", "--until", "30d", "--key", "owner", "--json"))
    now = yes(tdr("access", dataset, analyst, "--json"))
    assert now["allowed"] is True
    assert now["rights"] == ["read", "derive"]
    assert now["startsAt"] == grant["startsAt"]
    assert now["expiresAt"] == grant["expiresAt"]
    assert now["asOfBlock"] >= grant["blockNumber"]
    assert tdr("access", dataset, analyst, "--at", "29d").code == 0
    assert tdr("access", dataset, analyst, "--at", grant["expiresAt"]).code == 1
    assert tdr("access", dataset, analyst, "--at", "2020-01-01").code == 1
    wait_for_the_next_second()
    yes(tdr("revoke", dataset, analyst, "--key", "owner", "--json"))
    assert tdr("access", dataset, analyst).code == 1
    # C15: that it was held before stays on record.
    assert tdr("access", dataset, analyst, "--at", grant["startsAt"]).code == 0


def test_a_request_changes_no_right(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    dataset = register(tdr, files)["datasetId"]
    asked = yes(
        tdr("request", dataset, "--rights", "read", "--until", "9d", "--purpose", "复现", "--key", "analyst", "--json")
    )
    analyst = keys["analyst"].address
    assert asked["grantee"] == str(analyst)
    assert tdr("access", dataset, analyst).code == 1


def test_a_list_that_is_cut_off_says_so(tdr: Tdr, files: Path) -> None:
    for name in ("甲", "乙"):
        (files / "a.csv").write_text(name)
        register(tdr, files)
    assert "There are more than these 1" in tdr("list", "--limit", "1").out
    cut = yes(tdr("list", "--limit", "1", "--json"))
    assert (len(cut["items"]), cut["more"]) == (1, True)
    assert yes(tdr("list", "--limit", "10000", "--json"))["more"] is False


def test_a_key_that_is_not_the_owners_is_told_as_such(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    dataset = register(tdr, files)["datasetId"]
    analyst, owner = keys["analyst"].address, keys["owner"].address
    said = refused(tdr("grant", dataset, analyst, "--rights", "read", "--until", "1d", "--key", "analyst"))
    assert said.startswith(f"Only {owner} may do this, but this key signs for {analyst}.")


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


def test_the_owner_finds_who_asked_and_who_has_had_no_answer(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    dataset = register(tdr, files)["datasetId"]
    for key in ("analyst", "buyer"):
        yes(
            tdr(
                "request",
                dataset,
                "--rights",
                "read,index",
                "--until",
                "9d",
                "--purpose",
                f"为 {key}",
                "--key",
                key,
                "--json",
            )
        )
    yes(tdr("grant", dataset, keys["analyst"].address, "--rights", "read", "--until", "1d", "--key", "owner", "--json"))
    found = yes(tdr("requests", dataset, "--json"))
    assert [(one["grantee"], one["purpose"], one["rights"], one["granted"]) for one in found["items"]] == [
        (str(keys["buyer"].address), "为 buyer", ["read", "index"], False),
        (str(keys["analyst"].address), "为 analyst", ["read", "index"], True),
    ]
    unanswered = yes(tdr("requests", dataset, "--open", "--json"))["items"]
    assert [one["grantee"] for one in unanswered] == [str(keys["buyer"].address)]
    shown = tdr("requests", dataset)
    assert "为 analyst" in shown.out
    assert str(keys["buyer"].address) in shown.out


def test_a_title_passes_on_and_the_former_owner_can_do_no_more(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    """C2, through the command line."""
    dataset, buyer = register(tdr, files)["datasetId"], keys["buyer"].address
    yes(tdr("transfer", dataset, buyer, "--yes", "--key", "owner", "--json"))
    assert yes(tdr("show", dataset, "--json"))["owner"] == str(buyer)
    assert str(buyer) in refused(tdr("withdraw", dataset, "--yes", "--key", "owner"))
    yes(tdr("withdraw", dataset, "--reason", "Sold on", "--yes", "--key", "buyer", "--json"))
    shown = yes(tdr("show", dataset, "--json"))
    assert (shown["status"], shown["withdrawalReason"]) == ("withdrawn", "Sold on")
    kinds = [item["kind"] for item in yes(tdr("history", dataset, "--json"))["items"]]
    assert kinds == ["registered", "transferred", "withdrawn"]
    verified = yes(tdr("verify", files, "--dataset", dataset, "--json"))
    assert any("withdrew" in line for line in verified["notProven"])
    assert "withdrawn" in refused(tdr("revise", dataset, files, "--key", "buyer"))


def test_only_the_owner_may_grant_revise_and_withdraw(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    """C2 and C8: the wrong key is refused, and the refusal names who had to sign."""
    dataset = register(tdr, files)["datasetId"]
    owner, stranger = str(keys["owner"].address), keys["buyer"].address
    for words in (
        ("grant", dataset, stranger, "--rights", "read", "--until", "1d"),
        ("revise", dataset, files),
        ("withdraw", dataset, "--yes"),
        ("transfer", dataset, stranger, "--yes"),
    ):
        assert owner in refused(tdr(*words, "--key", "buyer"))


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
    nobody = tdr("find", sha256(b"nobody has this").hexdigest(), "--json")
    assert (nobody.code, nobody.json["claims"]) == (1, [])


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
        (("--deadline", "1s", "--key", "nobody"), "There is no key 'nobody'"),
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


def test_no_password_and_no_key_is_ever_printed(
    tdr: Tdr, node: NodeProcess, files: Path, keys: dict[str, Signer]
) -> None:
    """R10, for the command line and the node's log."""
    register(tdr, files)
    said = node.log + "".join(node.said)
    for done in (tdr("keys", "list"), tdr("keys", "list", "--json"), tdr("show", UNKNOWN), tdr("config", "show")):
        said += done.out + done.err
    assert PASSWORD not in said
    for signer in keys.values():
        assert signer.secret().hex() not in said


def test_a_killed_node_knows_everything_after_its_restart(
    tmp_path: Path, tdr_at: Callable[[str], Tdr], files: Path
) -> None:
    """R1: what was acknowledged is there, whenever the node was killed."""
    with running(NodeProcess(tmp_path / "data")) as node:
        tdr = tdr_at(node.url)
        waited = register(tdr, files)
        unwaited = register(tdr, files, "--no-wait")
        node.end(signal.SIGKILL)
        assert "tdr up" in refused(tdr("show", waited["datasetId"]))
        node.start()
        tdr = tdr_at(node.url)
        assert yes(tdr("show", waited["datasetId"], "--json"))["head"] == waited["head"]
        ended = yes(tdr("receipt", unwaited["receipt"], "--wait", 30, "--json"))
        assert ended["status"] in ("mined", "final")
        assert node.end(signal.SIGTERM) == 0
    tdr = tdr_at(node.url)
    checked = tdr("index", "check", "--data", node.data, "--json")
    assert checked.json["equal"] is True
    rebuilt = yes(tdr("index", "rebuild", "--data", node.data, "--json"))
    assert rebuilt["fingerprint"] == checked.json["index"]


def test_two_nodes_do_not_share_a_data_folder(node: NodeProcess, tdr: Tdr) -> None:
    assert "data folder" in refused(tdr("up", "--data", node.data, "--port", 0)).lower()
    assert tdr("index", "check", "--data", node.data).code == 2


def test_a_port_that_is_taken_is_told_before_anything_is_made(node: NodeProcess, tdr: Tdr, tmp_path: Path) -> None:
    port = node.url.rpartition(":")[2]
    assert port in refused(tdr("up", "--data", tmp_path / "new", "--port", port))
    assert not (tmp_path / "new").exists()


def test_ctrl_c_ends_a_node_in_order(tmp_path: Path) -> None:
    with running(NodeProcess(tmp_path / "data")) as node:
        assert node.end(signal.SIGINT) == 0
        assert "Traceback" not in node.log


def test_a_node_says_where_it_is_and_what_to_do_next(node: NodeProcess) -> None:
    said = "".join(node.said)
    health = httpx.get(f"{node.url}/v1/health").json()
    for word in (node.url, str(health["chainId"]), str(node.data), "tdr register"):
        assert word in said


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
