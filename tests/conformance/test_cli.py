"""The second verifier on Node's command line, compared with `tdr verify --bundle`, on files on disk."""

from __future__ import annotations

import json
import shutil
import subprocess
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry.base.canonical import metadata_hash
from registry.base.errors import InvalidInput
from registry.cli.app import main
from registry.cli.output import plain
from registry.cli.rooms.datasets.content import files_of
from registry.devchain.embedded import EmbeddedChain
from registry.evidence.verify import blocks_to_vouch_for
from registry.evidence_export.bundles import export_bundle
from registry.evidence_export.content import ContentSelection
from registry.manifest import hash_path
from registry.rooms.protocols import PROTOCOLS
from registry.verification.bundle import verify
from registry.verification.report import Report
from registry.verification.trust import TrustOptions
from tests.chain.wallet import RELAYER
from tests.conformance.second import VERIFIER, node_binary
from tests.evidence.stories import METADATA, NODE, WITNESSES
from tests.evidence.world import World
from tests.fixtures.waiting import PATIENCE

STRANGER = "0x000000000000000000000000000000000000dEaD"
FILES = {"数据/企鹅.csv": "嘴峰\n39.1\n", "b/café.txt": "un café", "empty": ""}


@dataclass(frozen=True)
class Example:
    """A dataset on disk, and bundles that show all of it, two of its files, or none."""

    folder: Path
    bundles: dict[str, Path]
    block: str


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    top = tmp_path_factory.mktemp("example")
    folder = top / "files"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    world = World(EmbeddedChain.in_memory(RELAYER))
    manifest = hash_path(folder)
    dataset = world.register(manifest, metadata_hash(METADATA))
    bundles = {}
    for name, shown in {
        "all": ContentSelection(manifest, (), METADATA),
        "two": ContentSelection(manifest, ["empty", "数据/企鹅.csv"], None),
        "none": ContentSelection(None, (), METADATA),
    }.items():
        bundle = export_bundle(world.chain, world.deployment, dataset, world.latest(), shown=shown)
        bundles[name] = top / f"{name}.tdr.json"
        bundles[name].write_bytes(bundle)
    return Example(folder, bundles, str(*blocks_to_vouch_for(bundle, PROTOCOLS).values()))


def run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Its exit code, and its answer."""
    command = [node_binary(), str(VERIFIER / "cli.mjs"), *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def by_tdr(path: Path, bundle: Path, block: str) -> Report:
    return verify(bundle.read_bytes(), TrustOptions([block]), files_of([path]))


@pytest.mark.parametrize("shown", ["all", "two", "none"])
@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, {"all": True, "two": True, "none": True}),
        ({"数据/企鹅.csv": "嘴峰\n39.2\n"}, {"all": False, "two": False, "none": False}),
        ({"empty": None}, {"all": False, "two": False, "none": False}),
        ({"b/café.txt": "du thé"}, {"all": False, "two": True, "none": False}),
        ({"more": "x"}, {"all": False, "two": True, "none": False}),
    ],
    ids=["same", "changed", "missing", "changed, not shown", "extra"],
)
def test_both_command_lines_find_the_same_differences(
    example: Example, tmp_path: Path, shown: str, changes: dict[str, str | None], is_same: dict[str, bool]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(example.folder, copy)
    for name, content in changes.items():
        if content is None:
            (copy / name).unlink()
        else:
            (copy / name).write_text(content)
    bundle = example.bundles[shown]
    code, answer = run(bundle, copy, "--block-hash", example.block)
    report = by_tdr(copy, bundle, example.block)
    assert answer["verified"] == report.verified == is_same[shown]
    assert code == (0 if report.verified else 1)
    assert answer["mismatches"] == report.to_json()["mismatches"]
    unchecked = [line for line in answer["notProven"] if "were not compared" in line]
    assert unchecked == [line for line in report.not_proven if "were not compared" in line]
    others = {"b/café.txt", *changes} - {"empty", "数据/企鹅.csv"} if shown == "two" else set()
    assert all(json.dumps(name, ensure_ascii=False) in "".join(unchecked) for name in others)
    assert len(unchecked) == bool(others)


def test_a_single_file_is_compared_with_the_one_of_its_name(example: Example, tmp_path: Path) -> None:
    file = example.folder / "数据/企鹅.csv"
    changed = tmp_path / "企鹅.csv"
    changed.write_text("x")
    for shown, rest in (
        ("all", "Anything about the 2 files of the dataset that were not given."),
        ("two", "Anything about files that the bundle does not show"),
    ):
        code, answer = run(example.bundles[shown], file, "--block-hash", example.block)
        assert (code, answer["matched"], answer["mismatches"]) == (0, 1, [])
        report = by_tdr(file, example.bundles[shown], example.block)
        assert (report.verified, report.differences) == (True, ())
        for lines in (answer["notProven"], report.not_proven):
            assert any(line.startswith(rest) for line in lines)
        code, answer = run(example.bundles[shown], changed, "--block-hash", example.block)
        report = by_tdr(changed, example.bundles[shown], example.block)
        assert (code, report.verified) == (1, False)
        assert answer["mismatches"] == report.to_json()["mismatches"]
        assert [one.path for one in report.differences] == ["数据/企鹅.csv"]
    stranger = tmp_path / "stranger.csv"
    stranger.write_text("x")
    for shown in ("all", "two"):
        assert run(example.bundles[shown], stranger, "--block-hash", example.block)[0] == 2
        with pytest.raises(InvalidInput, match="0 files with the name"):
            by_tdr(stranger, example.bundles[shown], example.block)


def test_for_people_it_says_whose_it_is_and_what_followed() -> None:
    """A version that was superseded, and a dataset that was withdrawn, must not look like one to rely on."""
    vectors = VERIFIER.parents[1] / "tests/vectors/evidence"
    bundle = vectors / "bundles/withdrawn.tdr.json"
    document = json.loads(bundle.read_bytes())
    block = document["record"]["block"]["hash"]
    command = [node_binary(), str(VERIFIER / "cli.mjs"), str(bundle), "--block-hash", block]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    owner, reason = document["record"]["dataset"]["owner"], document["record"]["events"][-1]["values"]["reason"]
    assert f"The owner is {owner}. It is withdrawn as of block {document['record']['block']['number']}" in said
    assert "its owner withdrew it, " in said
    assert f"saying {json.dumps(reason, ensure_ascii=False)}." in said


@pytest.mark.parametrize("name", ["registered", "content", "granted", "revoked", "withdrawn", "as-of-the-grant"])
@pytest.mark.parametrize("options", [[], ["--require-active", "--require-latest"]], ids=["", "required"])
def test_both_command_lines_give_the_same_report(
    name: str, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """U3-U5, U11, U15: verdict, version, root, people, requirements and steps."""
    bundle = VERIFIER.parents[1] / f"tests/vectors/evidence/bundles/{name}.tdr.json"
    block = json.loads(bundle.read_bytes())["record"]["block"]["hash"]
    code, second = run(bundle, "--block-hash", block, *options)
    monkeypatch.setenv("TDR_GATEWAY", "http://127.0.0.1:9")
    with pytest.raises(SystemExit) as left:
        main(["verify", "--bundle", str(bundle), "--block-hash", block, "--json", *options])
    first = json.loads(capsys.readouterr().out)
    assert left.value.code == code
    same = ("verified", "headline", "version", "latestVersion", "isLatest", "contentRoot", "owner", "firstOwner")
    for key in (*same, "status", "requirementsMissed"):
        assert first[key] == second[key], key
    assert first["registeredBy"] == second["registrant"]
    people = ("grantee", "state", "stateNow", "rights")
    assert [[one[key] for key in people] for one in first["access"]] == [
        [one[key] for key in people] for one in second["access"]
    ]
    assert first["steps"][: len(second["steps"])] == [f"{step['title']}: {step['proves']}" for step in second["steps"]]
    assert [step["number"] for step in second["steps"]] == list(range(1, len(second["steps"]) + 1))
    # What the content is worth, each says in words of its own.
    unproven = [line for line in second["notProven"] if not line.startswith("That the content is true")]
    assert [line for line in first["notProven"] if not line.startswith("That the content is true")] == unproven


def test_what_comes_from_others_cannot_steer_the_terminal(example: Example, tmp_path: Path) -> None:
    """Names of files and reasons may contain anything; both command lines print the same escapes."""
    copy = tmp_path / "copy"
    shutil.copytree(example.folder, copy)
    name = "a\x9b31m\u202eb\u2066\u200b\U000e0001\u2028.csv"
    (copy / name).write_text("")
    arguments = [str(example.bundles["all"]), str(copy), "--block-hash", example.block]
    command = [node_binary(), str(VERIFIER / "cli.mjs"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f'"{plain(name)}": expected nothing' in done.stdout
    assert all(plain(line) == line for line in done.stdout.split("\n"))
    command = [node_binary(), str(VERIFIER / "cli.mjs"), str(copy / f"{name}.absent"), "--block-hash", example.block]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert plain(name) in done.stderr
    assert plain(done.stderr[:-1]) == done.stderr[:-1]


def test_both_command_lines_escape_the_same_characters() -> None:
    """Characters that are not in both versions of Unicode are left out: every version adds some."""
    known = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    chars = "".join(char for char in known if unicodedata.category(char) not in ("Cn", "Co"))
    script = f"""
        import {{ plain }} from {json.dumps((VERIFIER / "cli.mjs").as_uri())};
        import {{ readFileSync }} from "node:fs";
        process.stdout.write(plain(readFileSync(0, "utf8")));
    """
    command = [node_binary(), "--input-type=module", "--eval", script]
    done = subprocess.run(command, input=chars.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == plain(chars)


def test_a_file_too_large_for_a_bundle_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(3 * 2**30)
    command = [node_binary(), str(VERIFIER / "cli.mjs"), str(large), "--block-hash", "0x" + "00" * 32]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a bundle or certificate: it has more than" in done.stderr
    assert done.stderr.count("\n") == 1
    done = subprocess.run([*command[:2], "/dev/zero", *command[3:]], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "it has more than" in done.stderr


def test_a_fault_of_its_own_never_says_no(example: Example, tmp_path: Path) -> None:
    """Exit code 1 means that a check failed; Node also exits with 1 after an internal error."""
    large = tmp_path / "trust.json"
    with large.open("wb") as stream:
        stream.truncate(3 * 2**30)  # Node refuses to read so much, by an error that nothing here expects.
    command = [node_binary(), str(VERIFIER / "cli.mjs"), str(example.bundles["all"]), "--trust", str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("The verifier has a fault: ")
    assert done.stderr.count("\n") == 1
    with subprocess.Popen(
        [*command[:3], "--block-hash", example.block], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()  # No one reads: the answer was not delivered.
        said = process.stderr.read()
    assert (process.returncode, said.count("\n")) == (2, 1)


def test_a_forged_bundle_is_refused_with_the_step_that_failed(example: Example, tmp_path: Path) -> None:
    forged = tmp_path / "forged.tdr.json"
    forged.write_bytes(example.bundles["all"].read_bytes().replace(b'"withdrawn":false', b'"withdrawn":true'))
    code, answer = run(forged, example.folder, "--block-hash", example.block)
    assert (code, answer["verified"], answer["failsAt"]) == (1, False, 9)


def test_contracts_other_than_the_known_ones_are_refused(example: Example) -> None:
    registry = json.loads(example.bundles["all"].read_bytes())["contracts"]["DatasetRegistry"]
    code, answer = run(
        example.bundles["all"], "--block-hash", example.block, "--contract", f"DatasetRegistry={registry}"
    )
    assert code == 0
    assert not any("contract you mean" in line for line in answer["notProven"])
    code, answer = run(
        example.bundles["all"], "--block-hash", example.block, "--contract", f"DatasetRegistry={STRANGER}"
    )
    assert (code, answer["failsAt"]) == (1, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ["{bundle}"],
        ["{bundle}", "--block-hash", "0x12"],
        ["{bundle}", "--block-hash", "{block}", "--trust", "x"],
        ["{bundle}", "--trust", "{bundle}"],
        ["{bundle}", "--trust", "/nonexistent"],
        ["{bundle}", "--rpc", "http://127.0.0.1:9"],
        ["{bundle}", "/nonexistent", "--block-hash", "{block}"],
        ["/nonexistent", "--block-hash", "{block}"],
        ["{bundle}", "--block-hash", "{block}", "--nonsense"],
        ["{bundle}", "--chain-id", "1", "--rpc", "http://127.0.0.1:9"],
        [],
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_what_cannot_be_told_has_an_exit_code_of_its_own(example: Example, arguments: list[str]) -> None:
    told = [part.format(bundle=example.bundles["all"], block=example.block) for part in arguments]
    code, answer = run(*told)
    assert (code, answer["verified"], answer["failsAt"]) == (2, False, None)
    assert answer["error"]


def test_checkpoints_are_taken_from_a_policy(tmp_path: Path) -> None:
    policy = {"node": str(NODE.verifier), "witnesses": [str(one.verifier) for one in WITNESSES], "threshold": 2}
    file = tmp_path / "trust.json"
    file.write_text(json.dumps(policy))
    vectors = VERIFIER.parents[1] / "tests/vectors/evidence/bundles"
    assert run(vectors / "checkpoints.tdr.json", "--trust", file)[0] == 0
    assert run(vectors / "registered.tdr.json", "--trust", file)[1]["failsAt"] == 3
    file.write_text(json.dumps(policy)[:-1] + ', "threshold": 0}')
    assert run(vectors / "checkpoints.tdr.json", "--trust", file)[0] == 2
