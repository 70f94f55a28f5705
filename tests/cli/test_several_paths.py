"""One dataset of several files and folders: registered, revised and verified at a gateway and without one."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from registry.keys.signer import Signer
from registry.manifest import hash_path
from tests.api.world import Gateway
from tests.cli.conftest import Run
from tests.fixtures.commands import refused

NAMES = ["a.csv", "b.csv", "数据/c.csv"]


@pytest.fixture
def act(tdr: Run, gateway: Gateway, key: Signer) -> Run:
    """Run a command at the gateway; there is one key."""
    return lambda *words: tdr(*words, "--gateway", gateway.http.base_url)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A folder with two files and a folder of one."""
    top = tmp_path / "top"
    (top / "数据").mkdir(parents=True)
    for name in NAMES:
        (top / name).write_text(f"{name}\n")
    return top


@pytest.fixture
def paths(top: Path) -> list[Path]:
    return [top / "a.csv", top / "b.csv", top / "数据"]


def test_several_paths_are_one_dataset_that_they_and_a_folder_of_them_verify(
    act: Run, paths: list[Path], top: Path, tmp_path: Path
) -> None:
    file = tmp_path / "kept.manifest.json"
    made = act("register", *paths, "--manifest", file, "--json").json
    listed = json.loads(file.read_text())["files"]
    assert [(one["path"], one["sha256"]) for one in listed] == [
        (name, sha256(f"{name}\n".encode()).hexdigest()) for name in NAMES
    ]
    dataset = made["datasetId"]
    assert act("show", dataset, "--json").json["metadata"] == {"name": "a.csv, b.csv, 数据"}
    copy = tmp_path / "copy"
    shutil.copytree(top, copy)
    for given in (paths, paths[::-1], [top], [copy], [copy / "b.csv", *paths[::2]]):
        done = act("verify", *given, "--dataset", dataset)
        assert done.code == 0, done
    (copy / "数据" / "c.csv").write_text("other")
    changed = act("verify", *paths[:2], copy / "数据", "--dataset", dataset, "--json")
    assert (changed.code, [one["path"] for one in changed.json["mismatches"]]) == (1, ["数据/c.csv"])
    fewer = act("verify", *paths[:2], "--dataset", dataset, "--json")
    assert (fewer.code, [one["path"] for one in fewer.json["mismatches"]]) == (1, ["数据/c.csv"])
    assert act("verify", paths[0], "--dataset", dataset).code == 0, "a single file is compared with the one of its name"
    again = act("revise", dataset, *paths[:2], copy / "数据", "--json").json
    assert (again["version"], again["files"]) == (2, 3)
    assert act("verify", copy, "--dataset", dataset).code == 0


def test_several_paths_verify_without_a_gateway(act: Run, tdr: Run, paths: list[Path], tmp_path: Path) -> None:
    """By the manifest alone, and by an evidence bundle."""
    manifest, bundle = tmp_path / "kept.manifest.json", tmp_path / "kept.tdr.json"
    made = act("register", *paths, "--manifest", manifest, "--json").json
    exported = act("export", made["datasetId"], "-o", bundle, "--json").json
    by = (("--manifest", manifest), ("--bundle", bundle, "--block-hash", exported["asOfBlockHash"]))
    assert [tdr("verify", *paths, *words).code for words in by] == [0, 0]
    paths[1].write_text("other")
    for words in by:
        done = tdr("verify", *paths, *words, "--json")
        assert (done.code, [one["path"] for one in done.json["mismatches"]]) == (1, ["b.csv"])


def test_what_rules_leave_out_is_told_with_the_folder_and_compared_where_the_manifest_lists_it(
    act: Run, tdr: Run, paths: list[Path], tmp_path: Path
) -> None:
    (paths[2] / "x.log").write_text("x")
    (paths[2] / ".tdrignore").write_text("*.log\n")
    manifest = tmp_path / "kept.manifest.json"
    made = act("register", *paths, "--manifest", manifest)
    assert (made.code, "数据/x.log" in made.err) == (0, True)
    done = tdr("verify", *paths, "--manifest", manifest, "--json")
    assert (done.code, done.json["notCompared"]) == (0, ["数据/x.log"])
    (paths[2] / ".tdrignore").write_text("*.log\n*.csv\n")
    done = tdr("verify", *paths, "--manifest", manifest, "--json")
    assert [one["path"] for one in done.json["mismatches"]] == ["数据/.tdrignore"]


def test_two_paths_of_one_name_are_refused_before_a_gateway_is_asked(tdr: Run, key: Signer, paths: list[Path]) -> None:
    other = paths[2] / "a.csv"
    other.write_text("another\n")
    for words in (("register",), ("revise", "ab" * 32)):
        said = refused(tdr(*words, paths[0], other))
        assert repr(str(paths[0])) in said
        assert repr(str(other)) in said
    file = paths[0].with_name("m.json")
    file.write_text(hash_path(paths[2]).to_json())
    assert repr(str(other)) in refused(tdr("verify", paths[0], other, "--manifest", file))


def test_a_manifest_is_not_written_into_any_of_the_folders(tdr: Run, key: Signer, paths: list[Path]) -> None:
    said = refused(tdr("register", *paths, "--manifest", paths[2] / "m.json"))
    assert "is inside the dataset" in said
