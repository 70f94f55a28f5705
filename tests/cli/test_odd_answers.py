"""Unusual answers of a gateway: commands print one line, or what can be shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from registry.keys.signer import Signer
from tests.cli.conftest import Run
from tests.fixtures.commands import Done, refused
from tests.fixtures.servers import serving

ID = "0x" + "ab" * 32
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
DATASET: dict[str, object] = {
    "datasetId": ID,
    "name": "n",
    "description": None,
    "owner": ADDRESS,
    "firstOwner": ADDRESS,
    "status": "active",
    "withdrawalReason": None,
    "version": 1,
    "files": 1,
    "bytes": 4,
    "contentRoot": ID,
    "metadataHash": ID,
    "uri": "",
    "sources": [],
    "head": ID,
    "registeredAt": "2027-01-15T08:00:00Z",
    "registeredBlock": 1,
    "updatedAt": "2027-01-15T08:00:00Z",
    "updatedBlock": 1,
    "asOfBlock": 1,
    "asOfBlockHash": ID,
    "finalBlock": 1,
    "metadata": {},
}
NO_ROWS = {"items": [], "next": None, "asOfBlock": 1, "asOfBlockHash": ID, "finalBlock": 1}
INVALID = "The gateway returned an invalid or unsupported response. Is this the address of a tdr gateway?"
Ask = Callable[..., Done]


@pytest.fixture
def ask(tdr: Run) -> Iterator[Ask]:
    """Runs a command against a gateway with these answers: by the path's end, or one for all."""
    answers: dict[str, object] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            last = self.path.partition("?")[0].rpartition("/")[2]
            content = json.dumps(answers.get(last, answers[""])).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *details: object) -> None:
            return None

    with serving(Handler) as url:

        def run(*words: str, answer: object, **by_end: object) -> Done:
            answers.clear()
            answers.update({"": answer, **by_end})
            return tdr(*words, "--gateway", url)

        yield run


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("history", ID),
        ("requests", ID),
        ("requests", ID, "--open"),
        ("access", ID, ADDRESS),
        ("find", "a" * 64),
        ("show", ID),
        ("lineage", ID),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"datasetId": ID},
        {"items": 5, "claims": 5, "allowed": 5},
        {"items": [5], "claims": [5], "allowed": None},
        {"items": [{}], "claims": [{}], "allowed": True, "datasetId": ID},
        {"items": [{"at": 5, "datasetId": 5}], "claims": [{"at": None}], "allowed": True, "rights": 5},
    ],
    ids=str,
)
def test_an_answer_that_no_gateway_would_give_is_told_on_one_line(
    ask: Ask, words: tuple[str, ...], answer: object
) -> None:
    assert refused(ask(*words, answer=answer)) == INVALID


@pytest.mark.parametrize(
    ("keywords", "shown"),
    [
        (["a", "企鹅"], "a, 企鹅"),
        (5, "5"),
        ("birds, ice", "birds, ice"),
        ({"en": ["a"]}, '{"en": ["a"]}'),
        ([1, {"a": None}], '1, {"a": null}'),
        (True, "true"),
        (None, None),
        ([], None),
    ],
)
def test_whatever_the_keywords_are_the_dataset_is_shown(ask: Ask, keywords: object, shown: str | None) -> None:
    """Metadata is any JSON object: its registrant decides what its fields are."""
    done = ask("show", ID, answer=DATASET | {"metadata": {"keywords": keywords, "license": {"id": 1}}}, grants=NO_ROWS)
    assert done.code == 0, done.err
    lines = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert lines.get("keywords") == shown
    assert lines["license"] == '{"id": 1}'


def test_a_dataset_whose_metadata_is_no_object_is_told_on_one_line(ask: Ask) -> None:
    assert refused(ask("show", ID, answer=DATASET | {"metadata": [5]}, grants=NO_ROWS)) == INVALID


def test_a_source_with_a_version_that_no_dataset_has_is_refused(ask: Ask, key: Signer, tmp_path: object) -> None:
    deployment = {
        "chainId": 1,
        "genesisHash": ID,
        "contracts": {name: {"address": ADDRESS, "blockNumber": 1} for name in ("DatasetRegistry", "AccessGrants")},
    }
    done = ask("register", f"{tmp_path}/keys", "--source", f"{ID}@{'9' * 5000}", answer=deployment)
    assert "After @ give a version number" in refused(done)
