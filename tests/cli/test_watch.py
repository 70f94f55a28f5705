"""`tdr watch` as a process, beside a real node."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.base.primitives import DatasetId
from registry.manifest import hash_path
from tests.api.world import Gateway
from tests.fixtures.commands import TDR, tdr_here
from tests.fixtures.waiting import PATIENCE


@dataclass(frozen=True)
class Registered:
    """A folder that is registered, manifest and all."""

    folder: Path
    dataset_id: DatasetId
    url: str

    @property
    def arguments(self) -> list[str]:
        return ["watch", str(self.folder), "--dataset", str(self.dataset_id), "--gateway", self.url, "--json"]

    @property
    def command(self) -> list[str]:
        return [str(TDR), *self.arguments]


@pytest.fixture
def registered(tmp_path: Path, gateway: Gateway) -> Registered:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text(str(tmp_path))
    manifest = hash_path(folder)
    message = gateway.registration(content_root=manifest.root)
    gateway.settle(message, manifest=json.loads(manifest.to_json()))
    return Registered(folder, message.dataset_id, str(gateway.http.base_url).rstrip("/"))


def once(registered: Registered) -> tuple[int, dict[str, object]]:
    done = tdr_here(*registered.arguments, "--once")
    return done.code, done.json


def test_one_check_says_intact_drift_or_that_it_could_not_be_told(registered: Registered) -> None:
    code, seen = once(registered)
    assert (code, seen["outcome"], seen["datasetId"]) == (0, "intact", str(registered.dataset_id))
    (registered.folder / "b.csv").write_text("extra")
    code, seen = once(registered)
    assert (code, seen["outcome"]) == (1, "drift")
    assert [one["path"] for one in seen["mismatches"]] == ["b.csv"]  # type: ignore[index, union-attr]
    (registered.folder / "link").symlink_to("b.csv")
    code, seen = once(registered)
    assert (code, seen["outcome"]) == (2, "unknown")
    assert "link" in str(seen["reason"])


def test_a_folder_that_was_never_there_cannot_be_told(registered: Registered) -> None:
    """As `tdr verify` says of it: the path may be mistyped, or not be mounted."""
    registered.folder.rename(registered.folder.with_name("elsewhere"))
    code, seen = once(registered)
    assert (code, seen["outcome"]) == (2, "unknown")
    assert str(registered.folder) in str(seen["reason"])


def test_a_folder_that_vanishes_while_it_is_watched_is_drift(registered: Registered) -> None:
    process = subprocess.Popen([*registered.command, "--every", "1s", "--exit-on-drift"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["outcome"] == "intact"
    registered.folder.rename(registered.folder.with_name("elsewhere"))
    last = process.communicate(timeout=PATIENCE)[0].splitlines()[-1]
    assert (process.returncode, json.loads(last)["outcome"]) == (1, "drift")


def test_a_change_is_noticed_and_ends_the_watch_with_1(registered: Registered) -> None:
    process = subprocess.Popen(
        [*registered.command, "--on-change", "--exit-on-drift"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["outcome"] == "intact"
    (registered.folder / "a.csv").write_text("changed")
    assert json.loads(process.stdout.readline())["outcome"] == "drift"
    assert process.wait(timeout=PATIENCE) == 1


@pytest.mark.parametrize(
    "wrong", [["--every", "soon"], ["--every", "0s"], ["--webhook", "file:///etc/passwd"], ["--dataset", "xyz"]]
)
def test_wrong_options_are_refused_before_anything_is_done(registered: Registered, wrong: list[str]) -> None:
    done = tdr_here(*registered.arguments, "--once", *wrong)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert done.json["code"] == "invalid-input"
