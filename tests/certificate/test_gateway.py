"""The certificate through a real node: it says what the chain says, and `tdr verify` takes it as a bundle."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.rooms.datasets import certificate as routes
from registry.base.canonical import metadata_hash, read_json
from registry.base.primitives import Bytes32, DatasetId
from registry.certificate import attachment
from registry.certificate.context import context_url
from registry.certificate.credential import verify_credential
from registry.certificate.facts import facts_of
from registry.certificate.multibase import did_of
from registry.devchain import methods
from registry.evidence.bundle import parse_bundle
from registry.keys.notes import load_note_key
from registry.manifest import Manifest, hash_path
from registry.rooms.datasets.messages import Source
from registry.rooms.protocols import PROTOCOLS
from tests.api.world import (
    ANALYST,
    OWNER,
    STRANGER,
    Gateway,
    grant,
    open_node,
    owner,
    request,
    running,
    transfer,
    withdrawal,
)
from tests.certificate.codes import code_on, codes_on, command_on, words
from tests.certificate.outside import DigitalBazaar, openvc_refusal
from tests.fixtures.commands import Done, tdr_forked, tdr_here
from tests.fixtures.waiting import PATIENCE

METADATA = {"name": "企鹅 Penguins", "license": "CC0-1.0"}


@dataclass(frozen=True)
class Penguins:
    """A dataset of two files that was derived, granted, revised, transferred and withdrawn."""

    gateway: Gateway
    dataset_id: DatasetId
    source: Source
    folder: Path
    manifest: Manifest


@pytest.fixture(scope="module")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Penguins]:
    folder = tmp_path_factory.mktemp("penguins")
    (folder / "adelie.csv").write_text("1,2\n")
    (folder / "巴布亚.csv").write_text("3,4\n")
    manifest = hash_path(folder)
    with open_node(tmp_path_factory.mktemp("node")) as node, running(node) as gateway:
        source = Source(dataset_id=gateway.register(), version=1)
        message = gateway.registration(
            content_root=manifest.root, metadata_hash=metadata_hash(METADATA), sources=(source,)
        )
        gateway.settle(message, metadata=METADATA, manifest=json.loads(manifest.to_json()))
        gateway.settle(grant(message.dataset_id))
        gateway.settle(gateway.revision(message.dataset_id, gateway.head(message.dataset_id)))
        gateway.settle(transfer(message.dataset_id, gateway.head(message.dataset_id), STRANGER.address))
        gateway.settle(withdrawal(message.dataset_id, gateway.head(message.dataset_id), "弃用 obsolete"), STRANGER)
        yield Penguins(gateway, message.dataset_id, source, folder, manifest)


def tdr(penguins: Penguins, *arguments: object) -> Done:
    return tdr_at(penguins.gateway, *arguments)


def tdr_at(gateway: Gateway, *arguments: object) -> Done:
    return tdr_here(*arguments, "--gateway", str(gateway.http.base_url).rstrip("/"))


def test_its_facts_are_those_of_the_chain(penguins: Penguins) -> None:
    answer = penguins.gateway.http.get(f"/v1/datasets/{penguins.dataset_id}/certificate.pdf", params={"version": 1})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    facts = facts_of(parse_bundle(attachment.read(answer.content), PROTOCOLS))
    shown = penguins.gateway.http.get(f"/v1/datasets/{penguins.dataset_id}").json()
    assert (facts.version, facts.latest_version) == (1, 2)
    assert (facts.name, facts.license) == ("企鹅 Penguins", "CC0-1.0")
    assert (facts.files, facts.size) == (2, 8)
    assert facts.content_root == penguins.manifest.root
    assert (facts.claimant, facts.owner) == (OWNER.address, STRANGER.address)
    assert str(facts.owner) == shown["owner"]
    assert facts.sources == (penguins.source,)
    assert facts.withdrawn_because == "弃用 obsolete"
    assert [permission.grantee for permission in facts.permissions] == [ANALYST.address]
    assert facts.registered.number == shown["registeredBlock"]
    block = penguins.gateway.node.chain.request("eth_getBlockByNumber", [hex(facts.as_of.number), False])
    assert Bytes32.parse(block["hash"]) == facts.as_of_hash
    assert facts.is_complete


def test_a_version_without_documents_is_certified_by_its_hashes(penguins: Penguins) -> None:
    answer = penguins.gateway.http.get(f"/v1/datasets/{penguins.dataset_id}/certificate.pdf")
    facts = facts_of(parse_bundle(attachment.read(answer.content), PROTOCOLS), 2)
    assert (facts.version, facts.name, facts.files) == (2, None, None)


def test_tdr_verify_takes_a_certificate_for_its_bundle(penguins: Penguins, tmp_path: Path) -> None:
    file = tmp_path / "certificate.pdf"
    done = tdr(penguins, "certificate", f"{str(penguins.dataset_id)[:14]}@1", "-o", file, "--json")
    assert done.code == 0, done.err
    block_hash = json.loads(done.out)["asOfBlockHash"]
    arguments = ("verify", penguins.folder, "--bundle", file, "--block-hash", block_hash, "--json")
    verified = tdr(penguins, *arguments)
    assert verified.code == 0, verified.out + verified.err
    (penguins.folder / "adelie.csv").write_text("1,3\n")
    assert tdr(penguins, *arguments).code == 1
    (penguins.folder / "adelie.csv").write_text("1,2\n")


def test_the_command_printed_on_the_page_and_by_tdr_verifies_offline(penguins: Penguins, tmp_path: Path) -> None:
    file = tmp_path / "certificate.pdf"
    made = tdr(penguins, "certificate", f"{penguins.dataset_id}@1", "-o", file)
    assert made.code == 0, made.err
    (told,) = [line for line in made.out.splitlines() if line.startswith("Verify")]
    for command in (command_on(file.read_bytes()), told.removeprefix("Verify").strip()):
        program, *arguments = shlex.split(command.replace("PATH", shlex.quote(str(penguins.folder)), 1))
        assert program == "tdr"
        nowhere = {**os.environ, "TDR_GATEWAY": "http://127.0.0.1:9"}
        verified = tdr_forked(arguments, nowhere, PATIENCE, tmp_path)
        assert verified.code == 0, verified.out + verified.err


def test_a_gateway_without_a_public_address_prints_no_code_and_tdr_says_what_to_set(
    penguins: Penguins, tmp_path: Path
) -> None:
    answer = penguins.gateway.http.get(f"/v1/datasets/{penguins.dataset_id}/certificate.pdf")
    assert codes_on(answer.content) == []
    assert answer.headers["tdr-verify-link"] == "none"
    for options in ((), ("--credential",)):
        done = tdr(penguins, "certificate", penguins.dataset_id, *options, "-o", tmp_path / "file")
        assert done.code == 0
        (warning,) = done.err.splitlines()
        assert warning.startswith("warning: ")
        assert "TDR_PUBLIC_URL" in warning


def test_the_credential_is_signed_by_the_nodes_checkpoint_key(penguins: Penguins) -> None:
    done = tdr(penguins, "certificate", f"{penguins.dataset_id}@1", "--credential")
    assert done.code == 0, done.err
    document = read_json(done.out)
    assert isinstance(document, dict)
    issuer = verify_credential(document)
    key = load_note_key(penguins.gateway.node.settings.checkpoint_key_file)
    assert issuer == did_of(key.verifier.public)
    subject = document["credentialSubject"]
    assert (subject["name"], subject["status"]) == ("企鹅 Penguins", "withdrawn")
    assert subject["contentRoot"] == str(penguins.manifest.root)
    soon = int(datetime.fromisoformat(document["validFrom"]).timestamp()) + 60
    with closing(DigitalBazaar()) as library:
        assert library.refusal(document, soon) is None
    assert openvc_refusal(document, soon) is None


def test_the_context_of_a_credential_is_served_where_it_says(penguins: Penguins) -> None:
    document = penguins.gateway.http.get(f"/v1/datasets/{penguins.dataset_id}/credential").json()
    path = urlsplit(document["@context"][1]).path
    answer = penguins.gateway.http.get(path)
    assert answer.status_code == 200
    assert path == f"/contexts/{sha256(answer.content).hexdigest()}.jsonld"
    assert answer.headers["content-type"] == "application/ld+json"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    missing = penguins.gateway.http.get(f"/contexts/{'11' * 32}.jsonld")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_a_credential_verifies_files_by_its_issuers_word_and_says_that_it_is_no_more(
    penguins: Penguins, tmp_path: Path
) -> None:
    file = tmp_path / "credential.json"
    assert tdr(penguins, "certificate", f"{penguins.dataset_id}@1", "--credential", "-o", file).code == 0
    issuer = did_of(load_note_key(penguins.gateway.node.settings.checkpoint_key_file).verifier.public)
    verify = ("verify", penguins.folder, "--credential", file, "--json", "--issuer", issuer)
    known = tdr(penguins, *verify)
    assert known.code == 0, known.out + known.err
    report = json.loads(known.out)
    assert (report["datasetId"], report["version"], report["withdrawn"]) == (str(penguins.dataset_id), 1, True)
    assert report["contentRoot"] == str(penguins.manifest.root)
    assert any("issuer's word" in line for line in report["notProven"])
    assert any("弃用 obsolete" in line for line in report["notProven"])
    assert "That version 1 still holds: version 2 followed it." in report["notProven"]
    assert report["latestVersion"] == 2

    (penguins.folder / "more.csv").write_text("")
    assert tdr(penguins, *verify).code == 1
    (penguins.folder / "more.csv").unlink()
    stranger = did_of(b"\1" * 32)
    other = tdr(penguins, *verify[:-1], stranger)
    assert other.code == 1
    assert f"not by {stranger}" in other.out
    elsewhere = tdr(penguins, *verify, "--contract", "DatasetRegistry=0x" + "11" * 20)
    assert elsewhere.code == 1
    assert "is about the registry" in elsewhere.out
    for without_issuer in (verify[:-2], (*verify[:-1], "alice")):
        assert tdr(penguins, *without_issuer).code == 2
    file.write_text(file.read_text().replace(str(penguins.manifest.root), f"0x{'11' * 32}"))
    altered = tdr(penguins, *verify)
    assert (altered.code, json.loads(altered.out)["verified"]) == (1, False)
    file.write_text("{}")
    assert tdr(penguins, *verify).code == 2


@pytest.mark.parametrize(
    ("query", "status"), [({"version": "3"}, 404), ({"version": "0"}, 422), ({"at": "2001-01-01T00:00:00Z"}, 404)]
)
def test_what_cannot_be_certified_is_a_problem(penguins: Penguins, query: dict[str, str], status: int) -> None:
    answer = penguins.gateway.http.get(f"/v1/datasets/{penguins.dataset_id}/certificate.pdf", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_very_long_host_does_not_break_the_page(penguins: Penguins) -> None:
    path = f"/v1/datasets/{penguins.dataset_id}/certificate.pdf"
    answer = penguins.gateway.http.get(path, headers={"host": f"{'a' * 5000}.example"})
    assert answer.status_code in (200, 400)


def test_its_code_leads_where_the_operator_says_and_not_where_the_asker_says(tmp_path: Path) -> None:
    """A request may name any host; printed or signed addresses must not use it."""
    with open_node(tmp_path, public_url="https://registry.example.org/data") as node, running(node) as gateway:
        dataset_id = gateway.register()
        path = f"/v1/datasets/{dataset_id}/certificate.pdf"
        answer = gateway.http.get(path, headers={"host": "attacker.example"})
        page = answer.content
        quiet = [
            tdr_at(gateway, "certificate", dataset_id, *kind, "-o", tmp_path / "f") for kind in ((), ("--credential",))
        ]
        path = f"/v1/datasets/{dataset_id}/credential"
        credential = gateway.http.get(path, headers={"host": "attacker.example"}).json()
    assert code_on(page) == f"https://registry.example.org/data/verify#{dataset_id}@1"
    assert answer.headers["tdr-verify-link"] == "printed"
    assert [(done.code, done.err) for done in quiet] == [(0, ""), (0, "")]
    assert credential["@context"][1] == context_url("https://registry.example.org/data/")


def test_requests_of_strangers_change_neither_evidence_nor_certificate_nor_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A1: more of them than the node gives logs in one answer."""
    monkeypatch.setattr(methods, "MAX_LOGS", 2)  # A registration alone logs two.
    with open_node(tmp_path) as node, running(node) as gateway:
        dataset_id = gateway.register()
        gateway.settle(grant(dataset_id))
        kinds = ("evidence", "certificate.pdf", "credential")
        before = {kind: len(gateway.http.get(f"/v1/datasets/{dataset_id}/{kind}").content) for kind in kinds}
        strangers = [owner(f"stranger {number}") for number in range(4)]
        for stranger in strangers:
            gateway.settle(request(dataset_id).model_copy(update={"grantee": stranger.address}), stranger)
        answers = {kind: gateway.http.get(f"/v1/datasets/{dataset_id}/{kind}") for kind in kinds}
        assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(kinds, 200)
        header_and_nodes = 2 * (1_400 * len(strangers) + 4_000)
        for kind in kinds:
            assert len(answers[kind].content) < before[kind] + header_and_nodes
        for bundle in (answers["evidence"].content, attachment.read(answers["certificate.pdf"].content)):
            assert [access.grantee for access in parse_bundle(bundle, PROTOCOLS).record.access] == [ANALYST.address]
        (held,) = answers["credential"].json()["credentialSubject"]["grants"]
        assert held["grantee"].endswith(str(ANALYST.address))
        named = {"grantee": [str(strangers[0].address)]}
        shown = gateway.http.get(f"/v1/datasets/{dataset_id}/evidence", params=named)
        assert [access.requests for access in parse_bundle(shown.content, PROTOCOLS).record.access] == [1]


def test_a_certificate_tells_how_many_grants_it_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MAX_GRANTS", 2)
    with open_node(tmp_path) as node, running(node) as gateway:
        dataset_id = gateway.register()
        grantees = [owner(f"grantee {number}") for number in range(4)]
        for grantee in grantees:
            gateway.settle(grant(dataset_id).model_copy(update={"grantee": grantee.address}))
        subject = gateway.http.get(f"/v1/datasets/{dataset_id}/credential").json()["credentialSubject"]
        assert {held["grantee"].rpartition(":")[2] for held in subject["grants"]} == {
            str(grantee.address) for grantee in grantees[2:]
        }
        assert subject["furtherGrants"] == 2
        page = gateway.http.get(f"/v1/datasets/{dataset_id}/certificate.pdf").content
    assert "另有 and 2 项 more" in words(page)
