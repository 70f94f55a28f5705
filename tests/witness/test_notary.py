"""The node's side: what it signs, which witnesses it asks, what it stores; on each kind of database."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import orjson
import pytest

from registry.base.errors import Conflict, InvalidInput, NotFound, Unavailable
from registry.base.primitives import ZERO_ADDRESS, Bytes32
from registry.checkpoints import store as checkpoint_store
from registry.checkpoints.notary import Notary
from registry.checkpoints.store import CheckpointStore
from registry.checkpoints.witnesses import Declined, WitnessAddress, ask_witness
from registry.index.state import Cursor, begin, write_cursor
from registry.notes.alarm import Alarm, AlarmKind
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, Signature, SigningKey
from registry.rooms.catalogue import ROOMS
from registry.rooms.deployment import Deployment
from registry.storage import Storage
from registry.witness.store import WitnessStore
from registry.witness.witness import Witness
from scripts.faults.ports import free_port
from tests.witness.serving import serving, witness_of
from tests.witness.simulator import CHAIN_ID, NODE, STRANGER, SimulatedChain

INTERVAL = 60


class World:
    """A node's chain and database, and a notary between them."""

    def __init__(self, storage: Storage) -> None:
        self.chain = SimulatedChain()
        self.chain.grow(0, 10)
        self.storage = storage
        self.now = 1_000.0
        self.store = CheckpointStore(storage)
        self.begun = False

    def notary(self, *witnesses: WitnessAddress) -> Notary:
        return Notary(
            self.chain, self.storage, NODE, witnesses, chain_id=CHAIN_ID, interval=INTERVAL, clock=lambda: self.now
        )

    def finalize(self, height: int) -> None:
        """Lets the index say that this height is final, and one more is indexed."""
        cursor = Cursor(height + 1, self.chain.checkpoint(0, height + 1).block_hash, 0, height)
        deployment = Deployment.of(
            CHAIN_ID,
            self.chain.identity.genesis_hash,
            {"DatasetRegistry": ZERO_ADDRESS, "AccessGrants": ZERO_ADDRESS},
            0,
        )
        with self.storage.write() as connection:
            if self.begun:
                write_cursor(connection, cursor)
            else:
                begin(connection, deployment, ROOMS.projections, cursor)
        self.begun = True


@pytest.fixture
def world(storage: Storage) -> World:
    return World(storage)


def test_nothing_is_signed_before_there_is_an_index(world: World) -> None:
    assert world.notary().sign() is None


def test_only_what_is_final_is_signed(world: World) -> None:
    world.finalize(4)
    signed = world.notary().sign()
    assert signed is not None
    signed.note.verify(NODE.verifier)
    assert Checkpoint.of(signed.note) == world.chain.checkpoint(0, 4)
    assert world.store.newest() == signed
    assert (signed.height, signed.block_hash, signed.signed_at, signed.cosignatures) == (
        4, world.chain.checkpoint(0, 4).block_hash, 1_000, 0,
    )  # fmt: skip


def test_a_checkpoint_is_signed_once_an_interval_and_only_of_a_greater_height(world: World) -> None:
    notary = world.notary()
    world.finalize(4)
    notary.sign()
    world.finalize(5)
    assert notary.sign() is None, "too soon"
    world.now += INTERVAL
    assert notary.sign() is not None
    world.now += INTERVAL
    assert notary.sign() is None, "nothing new is final"
    world.finalize(3)
    assert notary.sign() is None, "an index that is rebuilt is behind for a while"


def test_a_chain_that_left_what_was_signed_is_an_alarm_and_signed_for_no_more_until_it_is_back(world: World) -> None:
    notary = world.notary()
    world.finalize(4)
    first = notary.sign()
    assert first is not None
    world.chain.current = world.chain.split(0, 3)
    world.chain.grow(world.chain.current, 5)
    world.finalize(6)
    world.now += INTERVAL
    for _ in range(2):
        assert notary.sign() is None
    (reported,) = world.store.alarms()
    theirs = world.chain.checkpoint(world.chain.current, 4).note()
    assert reported.alarm == Alarm(AlarmKind.FORK, first.note, theirs)
    assert (reported.number, reported.reporter, reported.reported_at) == (1, NODE.verifier.name, 1_060)
    world.chain.current = 0
    assert notary.sign() is not None
    assert world.store.count_alarms() == 1


def test_cosignatures_are_gathered_from_those_who_answer_and_later_from_the_others(
    world: World, tmp_path: Path
) -> None:
    world.finalize(8)
    here = witness_of(tmp_path / "a", world.chain)
    its_node = SimulatedChain()
    its_node.grow(0, 5)
    behind = Witness(WitnessStore.open(tmp_path / "b"), its_node, [NODE.verifier])
    behind.advance()
    unreachable = SigningKey("unreachable.example", KeyKind.COSIGNATURE, b"\x09" * 32).verifier
    with httpx.Client(trust_env=False) as client, serving(here) as one, serving(behind) as two:
        notary = world.notary(
            WitnessAddress(here.key, one),
            WitnessAddress(behind.key, two),
            WitnessAddress(unreachable, f"http://127.0.0.1:{free_port()}"),
        )
        notary.sign()
        notary.gather(client)
        newest = world.store.newest()
        assert newest is not None
        assert newest.cosignatures == 1
        assert newest.note.verify(here.key) == 2_000
        its_node.grow(0, 5)
        notary.gather(client)
        notary.gather(client)
    newest = world.store.newest(cosignatures=2)
    assert newest is not None
    assert len(newest.note.signatures) == 3
    newest.note.verify(NODE.verifier)
    newest.note.verify(behind.key)
    assert world.store.newest(cosignatures=3) is None


def test_what_another_key_answers_in_a_witnesss_place_is_not_kept(world: World, tmp_path: Path) -> None:
    world.finalize(8)
    impostor = witness_of(tmp_path / "a", world.chain)
    meant = SigningKey("meant.example", KeyKind.COSIGNATURE, b"\x09" * 32).verifier
    with httpx.Client(trust_env=False) as client, serving(impostor) as url:
        notary = world.notary(WitnessAddress(meant, url))
        signed = notary.sign()
        assert signed is not None
        with pytest.raises(Declined, match="not a cosignature by its key"):
            ask_witness(client, WitnessAddress(meant, url), signed.note)
        notary.gather(client)
    assert world.store.newest() == signed


def test_a_witnesss_alarm_reaches_the_node_with_both_sides(world: World, tmp_path: Path) -> None:
    world.finalize(8)
    other = SimulatedChain()
    other.grow(0, 8)
    branch = other.split(0, 7)
    other.current = branch
    other.grow(branch, 3)
    assert other.checkpoint(branch, 7) == world.chain.checkpoint(0, 7)
    assert other.checkpoint(branch, 8) != world.chain.checkpoint(0, 8)
    witness = witness_of(tmp_path / "a", other)
    with httpx.Client(trust_env=False) as client, serving(witness) as url:
        notary = world.notary(WitnessAddress(witness.key, url))
        signed = notary.sign()
        assert signed is not None
        for _ in range(2):
            notary.gather(client)
        assert client.get(f"{url}/health").status_code == 503
        shown = client.get(f"{url}/alarms").json()["alarms"]
    (reported,) = world.store.alarms()
    assert reported.reporter == witness.key.name
    assert reported.alarm == Alarm(AlarmKind.OTHER_BLOCK, other.checkpoint(branch, 8).note(), signed.note)
    assert Alarm.from_json(shown[0]) == reported.alarm


@pytest.mark.parametrize(
    ("key", "status", "slug"), [(NODE, 200, None), (STRANGER, 403, "unknown-node")], ids=["known", "stranger"]
)
def test_a_witness_answers_with_one_line_or_a_problem(
    world: World, tmp_path: Path, key: SigningKey, status: int, slug: str | None
) -> None:
    with httpx.Client(trust_env=False) as client, serving(witness_of(tmp_path / "a", world.chain)) as url:
        note = world.chain.note(0, 8, key)
        answer = client.post(f"{url}/add-checkpoint", content=str(note).encode())
        assert answer.status_code == status
        if slug is not None:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == f"/problems/{slug}"
        else:
            assert answer.text.count("\n") == 1
        ahead = world.chain.checkpoint(0, 8)
        later = NODE.sign(Checkpoint(CHAIN_ID, 99, ahead.block_hash).note(), 0)
        answer = client.post(f"{url}/add-checkpoint", content=str(later).encode())
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/ahead")
        assert int(answer.headers["retry-after"]) > 0
        for body, wrong in ((b"\xff", 422), (b"hello", 422), (b"x" * 70_000, 413), (b"a\n" * 30_000, 422)):
            assert client.post(f"{url}/add-checkpoint", content=body).status_code == wrong


def test_an_alarm_about_another_note_is_no_answer_to_this_one(world: World, tmp_path: Path) -> None:
    other = world.chain.split(0, 3)
    lie = Alarm(AlarmKind.TWO_NOTES, world.chain.note(0, 4), world.chain.note(other, 4))

    class Liar(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(409)
            self.end_headers()
            self.wfile.write(orjson.dumps({"alarm": lie.to_json()}))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  The base's name.
            """Says nothing."""

    witness = SigningKey("liar.example", KeyKind.COSIGNATURE, b"\x09" * 32).verifier
    with HTTPServer(("127.0.0.1", 0), Liar) as server, httpx.Client(trust_env=False) as client:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = WitnessAddress(witness, f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(Unavailable, match="about another note"):
            ask_witness(client, address, world.chain.note(0, 8))
        assert ask_witness(client, address, lie.theirs) == lie
        server.shutdown()


def test_witnesses_that_share_a_key_or_are_too_many_for_a_note_are_refused(world: World) -> None:
    def witness(number: int, name: str) -> WitnessAddress:
        return WitnessAddress(SigningKey(name, KeyKind.COSIGNATURE, bytes([number]) * 32).verifier, "http://w.example")

    world.notary(witness(1, "a"), witness(2, "b"))
    for other in ("a", "b"):
        with pytest.raises(InvalidInput, match="must have its own key"):
            world.notary(witness(1, "a"), witness(1, other))
    many = [witness(number, "w") for number in range(1, 65)]
    world.notary(*many[:63])
    with pytest.raises(InvalidInput, match="At most 63"):
        world.notary(*many)


class TestStore:
    def test_one_reporters_alarms_leave_room_for_those_of_others(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checkpoint_store, "MAX_ALARMS", 2)
        other = world.chain.split(0, 3)
        world.chain.grow(other, 4)
        alarms = [
            Alarm(AlarmKind.OTHER_BLOCK, world.chain.note(0, at), world.chain.note(other, at)) for at in range(4, 8)
        ]
        raised = [world.store.raise_alarm(alarm, "w", 1) for alarm in alarms[:3]]
        assert raised == [True, True, False]
        assert world.store.raise_alarm(alarms[3], "the node", 1)
        assert [(one.number, one.reporter) for one in world.store.alarms()] == [(1, "w"), (2, "w"), (3, "the node")]

    def test_it_finds_the_newest_and_the_one_that_covers_a_height(self, world: World) -> None:
        store = world.store
        assert (store.newest(), store.covering(0), store.page(0, 10)) == (None, None, [])
        for height in (2, 4, 6, 8):
            store.add(world.chain.note(0, height), 100 + height)
        store.add_cosignatures(6, [Signature("w", b"abcd", b"\x00" * 72)])
        store.add_cosignatures(6, [Signature("w", b"abcd", b"\x01" * 72), Signature("v", b"abcd", b"\x00" * 72)])

        def height(found: object) -> object:
            return getattr(found, "height", None)

        assert [height(store.covering(at)) for at in (0, 2, 3, 8, 9)] == [2, 2, 4, 8, None]
        assert [height(store.covering(at, cosignatures=2)) for at in (0, 6, 7)] == [6, 6, None]
        assert [height(store.newest(cosignatures=count)) for count in (0, 1, 2, 3)] == [8, 6, 6, None]
        assert [height(found) for found in store.page(3, 2)] == [4, 6]
        assert store.at(6).note.signatures[1].signature == b"\x00" * 72, "the first is kept"
        with pytest.raises(NotFound):
            store.at(5)

    @pytest.mark.parametrize("height", [4, 3])
    def test_neither_a_smaller_height_nor_the_same_twice_is_kept(self, world: World, height: int) -> None:
        world.store.add(world.chain.note(0, 4), 100)
        with pytest.raises(Conflict, match="height 4 already"):
            world.store.add(world.chain.note(world.chain.split(0, 2), 3) if height == 3 else world.chain.note(0, 4), 1)

    def test_keys_are_remembered_once_and_told_apart(self, world: World) -> None:
        witness = SigningKey("w.example", KeyKind.COSIGNATURE, b"\x03" * 32).verifier
        for _ in range(2):
            world.store.remember_keys([NODE.verifier, witness])
        assert world.store.keys() == ([NODE.verifier], [witness])


class TestAddress:
    KEY = str(SigningKey("w.example", KeyKind.COSIGNATURE, b"\x03" * 32).verifier)

    def test_it_is_a_key_and_a_url(self) -> None:
        address = WitnessAddress.parse(f" {self.KEY} https://w.example/witness/ ")
        assert (str(address.key), address.url) == (self.KEY, "https://w.example/witness")

    @pytest.mark.parametrize(
        "text", ["", KEY, "https://w.example", f"{KEY} ftp://w.example", f"{KEY} https://", f"{NODE.verifier} http://a"]
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidInput):
            WitnessAddress.parse(text)


def test_a_witness_that_does_not_answer_is_unavailable() -> None:
    key = SigningKey("w.example", KeyKind.COSIGNATURE, b"\x03" * 32).verifier
    address = WitnessAddress(key, f"http://127.0.0.1:{free_port()}")
    with httpx.Client(trust_env=False) as client, pytest.raises(Unavailable, match="does not answer"):
        ask_witness(client, address, Note("a\n", ()))


def test_the_password_of_a_witness_is_in_no_error() -> None:
    """R10: the error is logged in every round."""
    key = SigningKey("gone.example", KeyKind.COSIGNATURE, b"\x05" * 32).verifier
    address = WitnessAddress.parse(f"{key} http://u:canary@127.0.0.1:{free_port()}")
    assert "canary" not in repr(address)
    with httpx.Client(trust_env=False) as client, pytest.raises(Unavailable, match="does not answer at") as caught:
        ask_witness(client, address, NODE.sign(Checkpoint(CHAIN_ID, 8, Bytes32(b"\1" * 32)).note(), 0))
    assert "canary" not in str(caught.value)
    for text in (
        f"{key} http://u:canary@w.example?apikey=canary",
        f"{key} http://u:canary@w.example:99999",
        f"{key} http://u:canary@[w.example",
        f"{key} http://u:canary@w.example\u2100",
        f"http://u:canary@w.example {key}",
        "http://u:canary@w.example http://w.example",
        "http://u:canary@w.example",
        "u:canary@w.example",
    ):
        with pytest.raises(InvalidInput, match="its key, a space and its URL") as refused:
            WitnessAddress.parse(text)
        assert "canary" not in f"{refused.value} {refused.value.hint}"
