"""`tdr export` against a gateway, and `tdr verify --bundle` without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fpdf import FPDF

from registry.base.canonical import metadata_hash
from registry.base.primitives import Bytes32, DatasetId
from registry.evidence.steps import Step
from registry.manifest import Manifest, hash_path
from registry.notes.note import KeyKind, SigningKey
from tests.api.checkpoints import cosign_a_new_block
from tests.api.world import Gateway, withdrawal
from tests.cli.conftest import Run
from tests.evidence.stories import NODE, WITNESSES
from tests.fixtures.commands import refused

METADATA = {"name": "测量"}
BUNDLES = Path(__file__).parents[1] / "vectors/evidence/bundles"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files."""
    top = tmp_path_factory.mktemp("measurements")
    (top / "readings").mkdir()
    (top / "readings/may.csv").write_text("1,2\n")
    (top / "readings/六月.csv").write_text("3,4\n")
    (top / "readme.txt").write_text("what it is\n")
    return top


@pytest.fixture(scope="module")
def dataset(gateway: Gateway, folder: Path) -> DatasetId:
    """The folder, registered, its manifest and metadata deposited."""
    manifest: Manifest = hash_path(folder)
    message = gateway.registration(content_root=manifest.root, metadata_hash=metadata_hash(METADATA))
    gateway.settle(message, metadata=METADATA, manifest=json.loads(manifest.to_json()))
    return message.dataset_id


def exported(tdr: Run, gateway: Gateway, dataset: DatasetId, file: Path, *options: object) -> str:
    """Writes the evidence and gives the block's hash."""
    url = str(gateway.http.base_url)
    done = tdr("export", str(dataset)[:12], "-o", file, "--gateway", url, "--json", *options)
    assert done.code == 0, done.err
    assert done.json["file"] == str(file)
    assert file.stat().st_size == done.json["bytes"]
    return str(done.json["asOfBlockHash"])


def known_contract(tdr: Run, folder: Path, bundle: Path, block: str, *options: object) -> list[str]:
    """What is not proven where the contract's address is given."""
    done = tdr("verify", folder, "--bundle", bundle, "--block-hash", block, "--json", *options)
    assert done.code == 0, done.err
    return list(done.json["notProven"])


def test_exported_evidence_verifies_a_folder_without_the_gateway(
    tdr: Run, gateway: Gateway, dataset: DatasetId, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "x.tdr.json"
    block = exported(tdr, gateway, dataset, bundle)
    done = tdr("verify", folder, "--bundle", bundle, "--block-hash", block, "--json")
    assert done.code == 0, done.err
    assert done.json["verified"]
    assert done.json["datasetId"] == str(dataset)
    assert len(done.json["steps"]) > 9
    assert done.json["notProven"]
    registry = ("--contract", f"DatasetRegistry={gateway.deployment.address_of('DatasetRegistry')}")
    assert not any("compare its" in line for line in known_contract(tdr, folder, bundle, block, *registry))
    wrong = ("--contract", f"DatasetRegistry={gateway.deployment.address_of('AccessGrants')}")
    assert tdr("verify", folder, "--bundle", bundle, "--block-hash", block, *wrong).code == 1
    people = tdr("verify", folder, "--bundle", bundle, "--block-hash", block)
    assert "VERIFIED" in people.out
    assert "NOT PROVEN" in people.out
    assert f"version 1 of 1 of the dataset {dataset} has the content root" in people.out
    assert f"The owner is {done.json['owner']}." in people.out


def test_a_changed_folder_differs(tdr: Run, gateway: Gateway, dataset: DatasetId, tmp_path: Path) -> None:
    bundle = tmp_path / "x.tdr.json"
    block = exported(tdr, gateway, dataset, bundle)
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "readme.txt").write_text("what it is not\n")
    done = tdr("verify", changed, "--bundle", bundle, "--block-hash", block, "--json")
    assert done.code == 1
    assert [one["path"] for one in done.json["mismatches"]] == ["readings/may.csv", "readings/六月.csv", "readme.txt"]


def test_a_single_file_is_verified_alone_or_in_its_folder(
    tdr: Run, gateway: Gateway, dataset: DatasetId, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "may.tdr.json"
    block = exported(tdr, gateway, dataset, bundle, "--file", "readings/may.csv")
    trust = ("--bundle", bundle, "--block-hash", block)
    assert tdr("verify", folder / "readings/may.csv", *trust).code == 0
    assert tdr("verify", folder, *trust).code == 0
    other = tmp_path / "may.csv"
    other.write_text("1,3\n")
    assert tdr("verify", other, *trust).code == 1
    assert "expected exactly one" in refused(tdr("verify", folder / "readme.txt", *trust))


@pytest.mark.parametrize("source", ["--dataset", "--bundle"])
def test_a_single_file_is_compared_with_the_one_of_its_name_in_the_whole_manifest(
    tdr: Run, gateway: Gateway, dataset: DatasetId, folder: Path, tmp_path: Path, source: str
) -> None:
    bundle = tmp_path / "x.tdr.json"
    by_bundle = (source, bundle, "--block-hash", exported(tdr, gateway, dataset, bundle))
    by_chain = (source, str(dataset), "--gateway", str(gateway.http.base_url))
    word = by_bundle if source == "--bundle" else by_chain
    done = tdr("verify", folder / "readings/六月.csv", *word, "--json")
    assert (done.code, done.json["mismatches"]) == (0, [])
    assert "Anything about the 2 files of the dataset that were not given." in done.json["notProven"]
    changed = tmp_path / "六月.csv"
    changed.write_text("3,5\n")
    done = tdr("verify", changed, *word, "--json")
    assert (done.code, [one["path"] for one in done.json["mismatches"]]) == (1, ["readings/六月.csv"])
    stranger = tmp_path / "stranger.csv"
    stranger.write_text("3,4\n")
    assert "expected exactly one" in refused(tdr("verify", stranger, *word))


def test_evidence_is_refused_with_the_step_that_failed(
    tdr: Run, gateway: Gateway, dataset: DatasetId, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "x.tdr.json"
    block = exported(tdr, gateway, dataset, bundle)
    done = tdr("verify", folder, "--bundle", bundle, "--block-hash", f"0x{'00' * 32}")
    assert done.code == 1
    assert "EVIDENCE REFUSED" in done.out
    assert "Step 3 (trust)" in done.out
    bundle.write_bytes(bundle.read_bytes().replace(b'"withdrawn":false', b'"withdrawn":true'))
    done = tdr("verify", folder, "--bundle", bundle, "--block-hash", block, "--json")
    assert done.code == 1
    assert not done.json["verified"]
    assert done.json["refused"].startswith("Step 9 (record)")


def test_that_a_version_was_superseded_and_the_dataset_withdrawn_is_said(tdr: Run, tmp_path: Path) -> None:
    block = json.loads((BUNDLES / "withdrawn.tdr.json").read_bytes())["record"]["block"]["hash"]
    (tmp_path / "a.csv").write_text("another content")
    done = tdr("verify", tmp_path / "a.csv", "--bundle", BUNDLES / "withdrawn.tdr.json", "--block-hash", block)
    unproven = done.out.partition("NOT PROVEN")[2]
    assert "version 1 of 2 of the dataset" in done.out
    assert "That version 1 still holds: version 2 followed it." in unproven
    assert "its owner withdrew it, " in unproven


def vector(name: str) -> tuple[str, Path, str, str]:
    """The options that verify a committed bundle."""
    file = BUNDLES / f"{name}.tdr.json"
    block = json.loads(file.read_bytes())["record"]["block"]["hash"]
    return "--bundle", file, "--block-hash", block


def test_the_headline_names_a_withdrawal_and_a_later_version(tdr: Run) -> None:
    """U4, U10: verified alone, with exit code 0, but the output cannot be mistaken for a dataset to rely on."""
    done = tdr("verify", *vector("withdrawn"))
    assert done.code == 0
    (line,) = [line for line in done.out.splitlines() if line.startswith("VERIFIED")]
    assert line == "VERIFIED, BUT VERSION 1 OF 2 AND WITHDRAWN ON 2026-11-23"
    assert "That any file is what was registered: none was given" in done.out.partition("NOT PROVEN")[2]
    shown = tdr("verify", *vector("withdrawn"), "--json").json
    assert shown["headline"] == line
    assert (shown["status"], shown["withdrawnAt"], shown["withdrawn"]) == ("withdrawn", "2026-11-23T04:46:58Z", True)
    assert (shown["version"], shown["latestVersion"], shown["isLatest"]) == (1, 2, False)
    shown = tdr("verify", *vector("granted"), "--json").json
    assert (shown["headline"], shown["status"], shown["withdrawnAt"]) == ("VERIFIED", "active", None)
    assert shown["isLatest"]


def test_the_headline_is_the_same_where_the_chain_itself_is_read(tdr: Run, gateway: Gateway, tmp_path: Path) -> None:
    """U4: `verify --dataset`, of an older version of a withdrawn dataset."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.csv").write_text("1\n")
    message = gateway.registration(content_root=hash_path(folder).root, salt=Bytes32(b"\x42" * 32))
    gateway.settle(message)
    dataset = message.dataset_id
    asked = ("verify", folder, "--dataset", str(dataset), "--version", "1", "--gateway", str(gateway.http.base_url))
    assert tdr(*asked, "--require-active", "--require-latest", "--json").json["headline"] == "VERIFIED"
    gateway.settle(gateway.revision(dataset, gateway.head(dataset)))
    done = tdr(*asked, "--json")
    assert (done.code, done.json["headline"], done.json["isLatest"]) == (0, "VERIFIED, BUT VERSION 1 OF 2", False)
    gateway.settle(withdrawal(dataset, gateway.head(dataset)))
    done = tdr(*asked, "--json")
    day = done.json["withdrawnAt"][:10]
    assert (done.code, done.json["status"]) == (0, "withdrawn")
    assert done.json["headline"] == f"VERIFIED, BUT VERSION 1 OF 2 AND WITHDRAWN ON {day}"
    refusal = tdr(*asked, "--require-active")
    assert (refusal.code, "--require-active: it was withdrawn" in refusal.out) == (1, True)


@pytest.mark.parametrize(
    ("name", "options", "missed"),
    [
        ("withdrawn", ["--require-active"], ["--require-active: it was withdrawn, 2026-11-23 04:46:58 UTC."]),
        ("withdrawn", ["--require-latest"], ["--require-latest: version 2 followed 1."]),
        ("withdrawn", ["--require-active", "--require-latest"], ["--require-active: it", "--require-latest: version"]),
        ("granted", ["--require-active", "--require-latest"], []),
        ("without-state", ["--require-latest"], ["--require-latest: the bundle has no state"]),
    ],
)
def test_what_is_required_and_is_not_so_fails(tdr: Run, name: str, options: list[str], missed: list[str]) -> None:
    """U4: exit code 1, and the check is named."""
    arguments = [*vector(name), *options, *(["--chain-id", "1952765415"] if name == "without-state" else [])]
    done = tdr("verify", *arguments)
    assert done.code == (1 if missed else 0), done.out
    assert ("NOT ACCEPTED" in done.out) == bool(missed)
    shown = tdr("verify", *arguments, "--json").json
    assert shown["verified"] == (not missed)
    assert len(shown["requirementsMissed"]) == len(missed)
    for line, beginning in zip(shown["requirementsMissed"], missed, strict=True):
        assert line.startswith(beginning)
        assert line in done.out


def test_who_might_use_it_is_listed_with_rights_term_and_state(tdr: Run) -> None:
    """U5: each grantee of the bundle, as of its block."""
    done = tdr("verify", *vector("withdrawn"))
    people = done.out.partition("ACCESS, as of block 13\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[1:4] for line in people] == [
        ["0x748960E2d176D9033d500D7Aa997cC2c444F57bc:", "in", "force;"],
        ["0xAb5FA8632692C3623a6E956F4c0d071d196f68af:", "revoked;", "read,"],
    ]
    assert people[1].endswith(", ended 2026-11-23 04:46:56 UTC")
    listed = tdr("verify", *vector("withdrawn"), "--json").json["access"]
    assert (listed[1]["state"], listed[1]["stateNow"]) == ("revoked", "revoked")
    assert (listed[1]["rights"], listed[1]["endsAt"]) == (["read", "derive"], "2026-11-23T04:46:56Z")
    assert "The bundle does not show any access." in tdr("verify", *vector("registered")).out


READER, OTHER = "0xAb5FA8632692C3623a6E956F4c0d071d196f68af", "0x748960E2d176D9033d500D7Aa997cC2c444F57bc"


@pytest.mark.parametrize(
    ("grantee", "at", "code", "reason"),
    [
        (READER, "2026-11-23T04:46:53Z", 1, "scheduled"),
        (READER, "2026-11-23T04:46:54Z", 0, "active"),
        (READER, "2026-11-23T04:46:55Z", 0, "active"),
        (READER, "2026-11-23T04:46:56Z", 1, "revoked"),
        (OTHER, "2026-11-23T04:46:56Z", 0, "active"),
    ],
)
def test_access_is_told_by_a_bundle_alone(tdr: Run, grantee: str, at: str, code: int, reason: str) -> None:
    """U5: offline, for one grantee at a time, with the reason."""
    done = tdr("access", grantee, *vector("withdrawn"), "--at", at, "--json")
    assert (done.code, done.json["reason"], done.json["allowed"]) == (code, reason, not code)
    assert (done.json["at"], done.json["asOfBlock"], done.json["datasetStatus"]) == (at, 13, "withdrawn")
    people = tdr("access", str(done.json["datasetId"])[:12], grantee, *vector("withdrawn"), "--at", at)
    assert people.code == code
    assert people.out.startswith("ALLOWED at 2026-" if code == 0 else "NOT ALLOWED at 2026-")
    assert "The dataset was withdrawn, 2026-11-23 04:46:58 UTC." in people.out
    assert "Anything after block 13" in people.out.partition("NOT PROVEN")[2]


def test_everybodys_access_is_listed_by_a_bundle_alone(tdr: Run) -> None:
    done = tdr("access", *vector("withdrawn"), "--json")
    assert done.code == 0
    assert [(one["grantee"], one["state"]) for one in done.json["access"]] == [(OTHER, "active"), (READER, "revoked")]
    assert f"{READER}: revoked; read, derive; from " in tdr("access", *vector("withdrawn")).out
    never = tdr("access", *vector("nobody"))
    assert ": never granted\n" in never.out


def test_a_bundle_that_does_not_show_somebody_proves_nothing_about_them(tdr: Run) -> None:
    stranger = "0x000000000000000000000000000000000000dEaD"
    assert "does not show the access of" in refused(tdr("access", stranger, *vector("withdrawn")))
    assert "The bundle is of the dataset" in refused(tdr("access", "0x12345678", READER, *vector("withdrawn")))
    refusal = tdr("access", *vector("withdrawn")[:2], "--block-hash", f"0x{'00' * 32}")
    assert (refusal.code, "EVIDENCE REFUSED" in refusal.out) == (1, True)
    assert "go with --bundle" in refused(tdr("access", "12345678", "--block-hash", f"0x{'00' * 32}"))
    assert "Give a dataset" in refused(tdr("access"))


def test_steps_have_the_same_numbers_in_every_report(tdr: Run) -> None:
    """U15: a step without data in the bundle is reported as left out, and does not renumber others."""
    titles = [f"{number}. {title}: " for number, title in enumerate((step.title for step in Step), 1)]
    for name in ("registered", "withdrawn", "granted"):
        lines = tdr("verify", *vector(name)).out.splitlines()
        for beginning, line in zip(titles, lines, strict=False):
            assert line.startswith(beginning)
    assert (
        "8. access: Not carried out: the bundle has no data for this step." in tdr("verify", *vector("registered")).out
    )


def test_only_bundles_and_credentials_are_verified_without_files(tdr: Run) -> None:
    assert "With --dataset, name the file or folder" in refused(tdr("verify", "--dataset", "12345678"))
    said = refused(tdr("verify", "x", "--dataset", "12345678", "--bundle", "y", "--require-active"))
    assert "--dataset does not go with --bundle" in said


def test_nodes_of_ones_own_or_witnesses_vouch_as_well(
    tdr: Run, gateway: Gateway, dataset: DatasetId, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "x.tdr.json"
    exported(tdr, gateway, dataset, bundle)
    rpc = f"{str(gateway.http.base_url).rstrip('/')}/rpc"
    assert tdr("verify", folder, "--bundle", bundle, "--rpc", rpc, "--rpc", rpc).code == 0
    node = SigningKey("registry.example", KeyKind.NOTE, b"\1" * 32)
    policy = tmp_path / "trust.json"
    policy.write_text(json.dumps({"node": str(node.verifier), "witnesses": [], "threshold": 0}))
    done = tdr("verify", folder, "--bundle", bundle, "--trust", policy)
    assert done.code == 1
    assert "no checkpoint" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Use exactly one of --block-hash, --rpc or --trust."),
        (("--block-hash", "0x12"), "32-byte value"),
        (("--block-hash", f"0x{'00' * 32}", "--trust", "x"), "Use exactly one of"),
        (("--trust", "nosuch.json"), "'nosuch.json' cannot be read"),
        (("--dataset", "12345678"), "--dataset does not go with --bundle"),
        (("--credential", "x.json"), "--bundle does not go with --credential"),
        (("--issuer", "did:key:z"), "--issuer does not go with --bundle"),
    ],
)
def test_options_that_do_not_fit_are_refused(tdr: Run, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "x.tdr.json").write_text("{}")
    assert said in refused(tdr("verify", tmp_path, "--bundle", tmp_path / "x.tdr.json", *options))


def test_a_bundle_that_is_not_there_is_an_error(tdr: Run, tmp_path: Path) -> None:
    hash_option = ("--block-hash", f"0x{'00' * 32}")
    assert "cannot be read" in refused(tdr("verify", tmp_path, "--bundle", tmp_path / "nosuch", *hash_option))
    assert "--block-hash goes with --bundle." in refused(tdr("verify", tmp_path, *hash_option))


def test_evidence_with_checkpoints_verifies_by_a_policy(
    tdr: Run, gateway: Gateway, dataset: DatasetId, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "x.tdr.json"
    url = str(gateway.http.base_url)
    few = tdr("export", str(dataset), "-o", bundle, "--gateway", url, "--cosignatures", "3")
    assert "No checkpoint has 3 cosignatures yet" in refused(few)
    assert "the gateway makes" in refused(tdr("export", str(dataset), "--cosignatures", "1", "--at", "now"))
    block_hash = cosign_a_new_block(gateway)
    assert exported(tdr, gateway, dataset, bundle, "--cosignatures", 3) == str(block_hash)
    policy = tmp_path / "trust.json"
    witnesses = [str(witness.verifier) for witness in WITNESSES]
    policy.write_text(json.dumps({"node": str(NODE.verifier), "witnesses": witnesses, "threshold": 3}))
    done = tdr("verify", folder, "--bundle", bundle, "--trust", policy)
    assert done.code == 0, done.out
    assert "registry.example/node and 3 of 3 witnesses" in done.out


def test_evidence_attached_to_a_certificate_verifies_as_well(
    tdr: Run, gateway: Gateway, dataset: DatasetId, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "x.tdr.json"
    block = exported(tdr, gateway, dataset, bundle)
    page = FPDF()
    page.add_page()
    page.embed_file(bundle)
    page.output(str(tmp_path / "certificate.pdf"))
    trust = ("--block-hash", block)
    done = tdr("verify", folder, "--bundle", tmp_path / "certificate.pdf", *trust)
    assert done.code == 0
    assert "The text on the certificate's page" in done.out.partition("NOT PROVEN")[2]
    (tmp_path / "empty.pdf").write_bytes(b"%PDF-1.7\n")
    assert "has none" in refused(tdr("verify", folder, "--bundle", tmp_path / "empty.pdf", *trust))
