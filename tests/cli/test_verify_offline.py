"""`tdr verify` by a manifest alone, without a gateway."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from registry.manifest import hash_path
from tests.cli.conftest import Run
from tests.fixtures.commands import refused


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-16LE", "UTF-16BE"])
def test_a_list_in_utf_16_is_refused_with_how_to_convert_it(
    tdr: Run, files: Path, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(f"{'a' * 64}  数据.csv\r\n".encode(encoding))
    said = refused(tdr("verify", ".", "--manifest", file))
    assert f"iconv -f {encoding} -t UTF-8" in said
    converted = subprocess.run(["iconv", "-f", encoding, "-t", "UTF-8", file], check=True, capture_output=True).stdout
    file.write_bytes(converted)
    assert "missing" in tdr("verify", files, "--manifest", file).out


def manifest_file(folder: Path, tmp_path: Path, *, private: bool = False) -> Path:
    file = tmp_path / "manifest.json"
    file.write_text(hash_path(folder, private=private).to_json())
    return file


@pytest.mark.parametrize("private", [False, True])
def test_files_that_are_those_of_the_manifest_verify_offline(
    tdr: Run, files: Path, tmp_path: Path, private: bool
) -> None:
    done = tdr("verify", files, "--manifest", manifest_file(files, tmp_path, private=private), "--json")
    assert done.code == 0
    assert done.json["verified"] is True
    assert done.json["mismatches"] == []
    assert done.json["datasetId"] is None
    assert any("registered" in line for line in done.json["notProven"])


@pytest.mark.parametrize("private", [False, True])
def test_each_file_that_differs_is_named(tdr: Run, files: Path, tmp_path: Path, private: bool) -> None:
    file = manifest_file(files, tmp_path, private=private)
    (files / "a.csv").write_text("1,3\n")
    (files / "子目录" / "数据.csv").rename(files / "moved.csv")
    done = tdr("verify", files, "--manifest", file, "--json")
    assert done.code == 1
    assert done.json["verified"] is False
    by_path = {one["path"]: one for one in done.json["mismatches"]}
    assert set(by_path) == {"a.csv", "moved.csv", "子目录/数据.csv"}
    assert by_path["moved.csv"]["expected"] is None
    assert by_path["子目录/数据.csv"]["found"] is None
    assert by_path["moved.csv"]["found"] == by_path["子目录/数据.csv"]["expected"]
    # As `printf '1,2\n' | sha256sum` and `printf '1,3\n' | sha256sum` say.
    assert by_path["a.csv"]["expected"] == "52186c933993da4082b3cdc7c40bb4bf735b391ff54a2ef78c037dda6c38a680"
    assert by_path["a.csv"]["found"] == "162d69039f6064d8beb1f8b30ba11212bbded1029e6d951fc9f0f20f456bcea9"


def test_differences_are_shown_to_people_with_what_is_not_proven(tdr: Run, files: Path, tmp_path: Path) -> None:
    file = manifest_file(files, tmp_path)
    (files / "a.csv").unlink()
    done = tdr("verify", files, "--manifest", file)
    assert done.code == 1
    assert "DIFFERENT\n  a.csv: missing\n" in done.out
    assert "NOT PROVEN" in done.out


def test_a_list_by_sha256sum_serves_as_manifest(tdr: Run, files: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes(
        subprocess.run(["sha256sum", "a.csv", "子目录/数据.csv"], cwd=files, capture_output=True, check=True).stdout
    )
    assert tdr("verify", files, "--manifest", listed).code == 0
    (files / "a.csv").write_text("")
    assert tdr("verify", files, "--manifest", listed).code == 1


@pytest.mark.parametrize("private", [False, True])
def test_a_single_file_is_compared_with_the_one_of_its_name(
    tdr: Run, files: Path, tmp_path: Path, private: bool
) -> None:
    file = manifest_file(files, tmp_path, private=private)
    done = tdr("verify", files / "子目录" / "数据.csv", "--manifest", file, "--json")
    assert (done.code, done.json["verified"], done.json["mismatches"]) == (0, True, [])
    rest = len(hash_path(files).entries) - 1
    assert f"Anything about the {rest} files of the dataset that were not given." in done.json["notProven"]
    (files / "子目录" / "数据.csv").write_text("other")
    done = tdr("verify", files / "子目录" / "数据.csv", "--manifest", file, "--json")
    assert (done.code, [one["path"] for one in done.json["mismatches"]]) == (1, ["子目录/数据.csv"])


def test_a_single_file_of_no_or_an_ambiguous_name_cannot_be_told(tdr: Run, files: Path, tmp_path: Path) -> None:
    (files / "子目录" / "a.csv").write_text("1,2\n")
    file = manifest_file(files, tmp_path)
    assert "2 files with the name 'a.csv'" in refused(tdr("verify", files / "a.csv", "--manifest", file))
    stranger = tmp_path / "stranger.csv"
    stranger.write_text("x")
    assert "0 files with the name 'stranger.csv'" in refused(tdr("verify", stranger, "--manifest", file))


def test_the_only_file_of_a_dataset_is_all_of_it(tdr: Run, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x.csv").write_text("x")
    file = manifest_file(folder, tmp_path)
    done = tdr("verify", folder / "deep" / "x.csv", "--manifest", file, "--json")
    assert done.code == 0
    assert not any("not given" in line for line in done.json["notProven"])
    other = tmp_path / "y.csv"
    other.write_text("x")
    done = tdr("verify", other, "--manifest", file, "--json")
    assert (done.code, {one["path"] for one in done.json["mismatches"]}) == (1, {"deep/x.csv", "y.csv"})


def test_a_manifest_with_another_root_than_its_files_is_refused(tdr: Run, files: Path, tmp_path: Path) -> None:
    file = manifest_file(files, tmp_path)
    file.write_text(file.read_text().replace('"root":"0x', '"root":"0x1'))
    assert "root" in refused(tdr("verify", files, "--manifest", file))


def test_a_dataset_that_changes_while_it_is_hashed_cannot_be_told(
    tdr: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = manifest_file(files, tmp_path)
    read = os.readv
    done: list[bool] = []

    def written_meanwhile(descriptor: int, buffers: list[memoryview]) -> int:
        if not done:
            done.append(True)
            (files / "late.csv").write_text("")
        return read(descriptor, buffers)

    monkeypatch.setattr(os, "readv", written_meanwhile)
    assert "changed while it was hashed" in refused(tdr("verify", files, "--manifest", file))


def test_an_empty_folder_cannot_be_told(tdr: Run, files: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no file" in refused(tdr("verify", tmp_path / "empty", "--manifest", manifest_file(files, tmp_path)))


def test_a_symbolic_link_cannot_be_told(tdr: Run, files: Path, tmp_path: Path) -> None:
    file = manifest_file(files, tmp_path)
    (files / "link").symlink_to("a.csv")
    assert "symbolic link" in refused(tdr("verify", files, "--manifest", file))


def test_names_from_others_cannot_steer_the_terminal(tdr: Run, files: Path, tmp_path: Path) -> None:
    file = manifest_file(files, tmp_path)
    (files / "\x1b[2Jb\x7f\u202e.csv").write_text("")
    done = tdr("verify", files, "--manifest", file)
    assert done.code == 1
    assert not {"\x1b", "\x7f", "\u202e"} & set(done.out)
    assert "\\x1b[2Jb\\x7f\\u202e.csv: extra" in done.out


def test_what_tools_write_is_named_and_not_compared(tdr: Run, files: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(hash_path(files).to_json())
    (files / ".git").mkdir()
    (files / ".git" / "index").write_text("changes at every status")
    (files / "x.log").write_text("1")
    extra = tdr("verify", files, "--manifest", file, "--json")
    assert extra.code == 1
    assert [one["path"] for one in extra.json["mismatches"]] == ["x.log"]
    done = tdr("verify", files, "--manifest", file, "--exclude", "*.log", "--json")
    assert done.code == 0
    assert done.json["notCompared"] == [".git/", "x.log"]
    assert any(".git/" in line for line in done.json["notProven"])


def test_ignore_rules_hide_no_missing_and_no_changed_file(tdr: Run, files: Path, tmp_path: Path) -> None:
    (files / ".git").mkdir()
    (files / ".git" / "config").write_text("registered with all the rest")
    file = tmp_path / "m.json"
    file.write_text(hash_path(files).to_json())
    (files / ".tdrignore").write_text("*\n")
    assert tdr("verify", files, "--manifest", file).code == 0
    (files / "a.csv").unlink()
    (files / ".git" / "config").write_text("changed")
    done = tdr("verify", files, "--manifest", file, "--json")
    assert done.code == 1
    assert [(one["path"], one["found"] is None) for one in done.json["mismatches"]] == [
        (".git/config", False),
        ("a.csv", True),
    ]
    assert done.json["notCompared"] == [".tdrignore"]


def test_links_are_skipped_where_it_is_said(tdr: Run, files: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(hash_path(files).to_json())
    (files / "link").symlink_to("a.csv")
    assert "--links skip" in refused(tdr("verify", files, "--manifest", file))
    assert tdr("verify", files, "--manifest", file, "--links", "skip", "--json").json["notCompared"] == ["link"]
    assert tdr("verify", files, "--manifest", file, "--links", "follow-inside").code == 1
    assert "refuse, skip, follow-inside" in refused(tdr("verify", files, "--manifest", file, "--links", "all"))
    assert "ignore pattern" in refused(tdr("register", files, "--exclude", "!"))
