"""The routes of the checkpoints, at a node that signs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.routes import checkpoints as answers
from registry.base.primitives import ZERO_BYTES32
from registry.checkpoints.store import CheckpointStore
from registry.notes.alarm import Alarm, AlarmKind
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, VerifierKey
from tests.api.world import Gateway, open_node, running
from tests.fixtures.waiting import eventually


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("node")
    with open_node(folder, checkpoint_seconds=0.1) as node, running(node) as gateway:
        gateway.register()
        eventually(lambda: gateway.http.get("/v1/checkpoints/latest").status_code == 200)
        yield gateway


def test_the_newest_is_signed_with_the_key_that_is_shown(gateway: Gateway) -> None:
    item = answers.CheckpointItem.model_validate_json(gateway.http.get("/v1/checkpoints/latest").content)
    keys = answers.CheckpointKeys.model_validate_json(gateway.http.get("/v1/checkpoints/keys").content)
    note = Note.parse(item.note)
    note.verify(VerifierKey.parse(keys.node[0]))
    assert Checkpoint.of(note) == Checkpoint(gateway.deployment.chain_id, item.height, item.block_hash)
    assert (item.cosigned_by, keys.witnesses) == ([], [])
    block = gateway.node.chain.request("eth_getBlockByNumber", [hex(item.height), False])
    assert block["hash"] == str(item.block_hash)


def test_one_is_found_by_its_height_and_by_a_height_that_it_covers(gateway: Gateway) -> None:
    page = answers.CheckpointPage.model_validate_json(gateway.http.get("/v1/checkpoints").content)
    first = page.items[0]
    assert gateway.http.get(f"/v1/checkpoints/{first.height}").json()["note"] == first.note
    covering = gateway.http.get("/v1/checkpoints", params={"from": first.height, "limit": 1}).json()
    assert covering["items"][0]["note"] == first.note


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/checkpoints/999999", 404),
        ("/v1/checkpoints/latest?cosignatures=1", 404),
        ("/v1/checkpoints/-1", 422),
        ("/v1/checkpoints/99999999999999999999", 422),
        ("/v1/checkpoints/newest", 422),
        ("/v1/checkpoints?from=-1", 422),
        ("/v1/checkpoints?limit=0", 422),
        ("/v1/checkpoints?since=1", 422),
    ],
)
def test_what_is_not_there_or_malformed_is_a_problem(gateway: Gateway, path: str, status: int) -> None:
    answer = gateway.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_an_alarm_is_seen_in_the_list_in_health_and_in_the_metrics(gateway: Gateway) -> None:
    store = CheckpointStore(gateway.node.storage)
    newest = store.newest()
    assert newest is not None
    lie = Checkpoint(gateway.deployment.chain_id, newest.height, ZERO_BYTES32).note()
    assert gateway.http.get("/v1/checkpoints/alarms").json() == {"items": []}
    assert store.raise_alarm(Alarm(AlarmKind.FORK, newest.note, lie), "witness.example", 1_700_000_000)
    listed = answers.CheckpointAlarms.model_validate_json(gateway.http.get("/v1/checkpoints/alarms").content)
    assert [(item.kind, item.ours, item.theirs, item.reporter) for item in listed.items] == [
        ("fork", str(newest.note), str(lie), "witness.example")
    ]
    # Figures may be a second old.
    eventually(lambda: gateway.http.get("/v1/health").json()["checkpoint"]["alarms"] == 1)
    eventually(lambda: "tdr_checkpoint_alarms 1.0" in gateway.http.get("/metrics").text)
