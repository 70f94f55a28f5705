"""Real processes: a node, three witnesses, a liar; and a witness that is killed again and again."""

from __future__ import annotations

import itertools
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from registry.base.errors import VerificationFailed
from registry.base.primitives import Bytes32
from registry.chain.rpc import RpcChain
from registry.evidence.trust import Authority, Claim, SignedCheckpoints
from registry.keys.notes import load_note_key
from registry.notes.alarm import Alarm
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, SigningKey, VerifierKey
from registry.witness.store import WitnessStore
from scripts.faults.ports import free_port
from tests.fixtures.chains import StartAnvil
from tests.fixtures.randomness import random_of
from tests.fixtures.waiting import PATIENCE, eventually
from tests.witness.processes import CHAIN_ID, RELAYER, mine, note_of, tdr, two_histories

pytestmark = pytest.mark.long

KILLS = 10


NAMES = ("w1", "w2", "w3")


class Town:
    """A node, its witnesses, and a liar, as processes that end with the block.

    Args:
        folder: For their data.
        honest_url: The chain that the node and the witnesses follow.
        everything: What ends when the town does.
    """

    def __init__(self, folder: Path, honest_url: str, everything: ExitStack) -> None:
        self._folder, self._honest_url, self._everything = folder, honest_url, everything
        self._log = everything.enter_context((folder / "log").open("wb"))
        self.http = everything.enter_context(httpx.Client(timeout=PATIENCE, trust_env=False))
        self.keys: dict[str, VerifierKey] = {}
        for name in NAMES:
            store = WitnessStore.open(folder / name, name=f"{name}.example")
            self.keys[name] = store.key.verifier
            store.close()
        self.urls = {name: f"http://127.0.0.1:{free_port()}" for name in NAMES}
        (folder / "relayer.key").write_text(RELAYER)
        (folder / "relayer.key").chmod(0o600)
        self._settings = {
            "TDR_FINALITY": "1",
            "TDR_CHECKPOINT_SECONDS": "1",
            "TDR_RELAYER_KEY_FILE": str(folder / "relayer.key"),
            "TDR_WITNESSES": ", ".join(f"{self.keys[name]} {self.urls[name]}" for name in NAMES),
        }

    def up(self, name: str, rpc: str) -> str:
        """Start a node; return its URL."""
        url = f"http://127.0.0.1:{free_port()}"
        arguments = ("up", "--rpc", rpc, "--data", str(self._folder / name), "--port", url.rpartition(":")[2])
        self._everything.enter_context(tdr(*arguments, log=self._log, environment=self._settings))
        return url

    def witness(self, name: str, node_key: VerifierKey) -> subprocess.Popen[bytes]:
        """Start a witness of a node."""
        data = str(self._folder / name)
        arguments = ("witness", "--rpc", self._honest_url, "--data", data, "--node-key", str(node_key))
        more = ("--port", self.urls[name].rpartition(":")[2], "--finality", "1", "--poll", "0.3")
        return self._everything.enter_context(tdr(*arguments, *more, log=self._log))

    def key_of(self, node: str) -> VerifierKey:
        """Return a node's key once the node is up."""
        known = eventually(lambda: self.http.get(f"{node}/v1/checkpoints/keys").json()["node"])
        return VerifierKey.parse(known[0])

    def cosigned(self, node: str, count: int) -> Note | None:
        """Return the latest checkpoint that so many have cosigned."""
        answer = self.http.get(f"{node}/v1/checkpoints/latest", params={"cosignatures": count})
        return Note.parse(answer.json()["note"]) if answer.status_code == 200 else None

    def cosigned_above(self, node: str, count: int, height: int) -> Note:
        """Return such a checkpoint once there is one above a height."""
        return eventually(lambda: (note := self.cosigned(node, count)) and Checkpoint.of(note).height > height and note)

    def vouch(self, note: Note, node_key: VerifierKey, threshold: int) -> Authority:
        """Return what a policy of so many of the witnesses makes of a checkpoint."""
        checkpoint = Checkpoint.of(note)
        claim = Claim(CHAIN_ID, {checkpoint.height: checkpoint.block_hash}, [note])
        return SignedCheckpoints(node_key, list(self.keys.values()), threshold).vouch(claim)

    def alarms(self, node: str) -> int:
        """Return the number of alarms that a node reports."""
        return int(self.http.get(f"{node}/v1/health").json()["checkpoint"]["alarms"])


def assert_a_lie_is_an_alarm(town: Town, name: str, lie: Note, node_key: VerifierKey, checkpoint: Checkpoint) -> None:
    """Show a witness another block at a height that was cosigned: the alarm has both notes of one key."""
    answer = town.http.post(f"{town.urls[name]}/add-checkpoint", content=str(lie).encode())
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    items = town.http.get(f"{town.urls[name]}/alarms").json()["alarms"]
    both = next(Alarm.from_json(item) for item in items if item["kind"] == "two-notes")
    for statement in (both.ours, both.theirs):
        statement.verify(node_key)
    assert Checkpoint.of(both.ours) == checkpoint or both.height != checkpoint.height
    health = town.http.get(f"{town.urls[name]}/health")
    assert (health.status_code, health.json()["status"]) == (503, "alarm")


def test_three_witnesses_cosign_for_a_node_and_unmask_one_that_lies_with_its_key(
    tmp_path: Path, start_anvil: StartAnvil
) -> None:
    """N of M: a checkpoint with enough cosignatures is trusted. A lie raises an alarm with both statements."""
    honest_url, lying_url = two_histories(start_anvil, "--block-time", "1")
    with ExitStack() as everything:
        town = Town(tmp_path, honest_url, everything)
        node = town.up("node", honest_url)
        node_key = town.key_of(node)
        running = {name: town.witness(name, node_key) for name in NAMES}
        note = eventually(lambda: town.cosigned(node, 3))
        authority = town.vouch(note, node_key, 3)
        assert authority == Authority("checkpoints", {"name": node_key.name, "threshold": 3, "witnesses": 3})

        running["w3"].terminate()
        running["w3"].wait(PATIENCE)
        checkpoint = Checkpoint.of(note)
        later = town.cosigned_above(node, 2, checkpoint.height)
        town.vouch(later, node_key, 2)
        if len(later.signatures) == 3:  # Else the third had cosigned it just before it ended.
            with pytest.raises(VerificationFailed, match="3 are needed"):
                town.vouch(later, node_key, 3)
        assert town.alarms(node) == 0

        # A second node has the first one's key, and shows another history. It asks the same witnesses.
        (tmp_path / "liar").mkdir(mode=0o700)
        shutil.copy2(tmp_path / "node/checkpoints.key", tmp_path / "liar/checkpoints.key")
        liar = town.up("liar", lying_url)
        told = eventually(lambda: town.http.get(f"{liar}/v1/checkpoints/alarms").json()["items"])
        Alarm.from_json({name: told[0][name] for name in ("kind", "ours", "theirs")}).theirs.verify(node_key)
        assert town.alarms(liar) >= 1
        assert "tdr_checkpoint_alarms 0.0" not in town.http.get(f"{liar}/metrics").text

        lie = note_of(RpcChain([lying_url]), checkpoint.height, load_note_key(tmp_path / "liar/checkpoints.key"))
        for name in ("w1", "w2"):
            assert_a_lie_is_an_alarm(town, name, lie, node_key, checkpoint)
        # The honest node is cosigned for as before.
        town.cosigned_above(node, 2, Checkpoint.of(later).height)
    assert "ALARM" in (tmp_path / "log").read_text(errors="replace")


class Interrogation:
    """Questions to one witness by the holder of a node's key, who signs two histories in turn.

    Args:
        url: Of the witness.
        chains: The honest history, and the other.
        key: The witness's.
    """

    def __init__(self, url: str, chains: Sequence[RpcChain], key: VerifierKey) -> None:
        self._url = url
        self._chains = chains
        self._key = key
        self._node = SigningKey("node.example", KeyKind.NOTE, b"\x05" * 32)
        self._http = httpx.Client(timeout=PATIENCE, trust_env=False)
        self.signed: list[tuple[Checkpoint, int]] = []
        """What it cosigned, and when, in the order of its answers."""

    @property
    def node_key(self) -> VerifierKey:
        return self._node.verifier

    def is_up(self) -> bool:
        return self._http.get(f"{self._url}/key").is_success

    def newest(self, which: int, back: int = 0) -> Note:
        """Make a block on both chains; return a note of the newest of one, or of one below it."""
        for chain in self._chains:
            mine(chain)
        return self.at(which, int(self._chains[which].request("eth_blockNumber"), 16) - back)

    def at(self, which: int, height: int) -> Note:
        return note_of(self._chains[which], height, self._node)

    def said(self, note: Note) -> str:
        """Return what the witness makes of a note: a cosignature, or the kind of its refusal."""
        answer = self._http.post(f"{self._url}/add-checkpoint", content=str(note).encode())
        if answer.status_code != 200:
            return re.sub(".*/", "", answer.json()["type"])
        time_signed = Note.parse(f"{note.text}\n{answer.text}").verify(self._key)
        assert time_signed is not None
        self.signed.append((Checkpoint.of(note), time_signed))
        return "cosigned"

    def script(self) -> None:
        """Ask what must be cosigned, and what must not; no kill comes before the last answer."""
        eventually(lambda: self.said(self.newest(0)) == "cosigned")
        assert self.said(self.newest(0, back=2)) == "smaller-height"
        assert self.said(self.at(1, self.signed[-1][0].height)) == "alarm"

    def end(self, kill: Callable[[], None], chance: random.Random) -> None:
        """Ask at random, and kill the witness at some question, without waiting: it may be anywhere in its answer."""
        last = chance.randint(0, 12)
        for question in itertools.count():
            note = self.newest(int(chance.random() < 0.3), back=chance.choice((0, 0, 0, 1, 5)))
            if question == last:
                kill()
            try:
                self.said(note)
            except httpx.TransportError:
                return

    def close(self) -> None:
        self._http.close()


def test_a_witness_that_is_killed_again_and_again_signs_one_history_upwards(
    tmp_path: Path, start_anvil: StartAnvil
) -> None:
    """Killed at any moment, restarted on a node of another history, asked by a liar: it signs only one history."""
    chance = random_of("kills of a witness")
    urls = two_histories(start_anvil, "--no-mining")
    chains = [RpcChain([url]) for url in urls]
    for chain in chains:
        mine(chain, 3)
    port = free_port()
    store = WitnessStore.open(tmp_path / "w")
    asker = Interrogation(f"http://127.0.0.1:{port}", chains, store.key.verifier)
    store.close()

    with (tmp_path / "log").open("wb") as log, closing(asker):
        for kill in range(KILLS):
            has_other_history = kill % 3 == 2
            own = urls[has_other_history]
            arguments = ("witness", "--rpc", own, "--data", str(tmp_path / "w"), "--node-key", str(asker.node_key))
            more = ("--port", str(port), "--finality", "0", "--poll", "0.1")
            with tdr(*arguments, *more, log=log) as process:
                eventually(asker.is_up)
                if not has_other_history:
                    asker.script()
                asker.end(process.kill, chance)

    signed = asker.signed
    heights = [checkpoint.height for checkpoint, _ in signed]
    assert heights == sorted(heights)
    assert [at for _, at in signed] == sorted(at for _, at in signed)
    honest = {height: Bytes32.parse(_hash(chains[0], height)) for height in set(heights)}
    assert all(checkpoint.block_hash == honest[checkpoint.height] for checkpoint, _ in signed)
    store = WitnessStore.open(tmp_path / "w")
    assert store.alarms()
    for checkpoint, _ in signed:
        note = store.view(checkpoint.height).note
        assert note is not None, "what left it, it knows"
        assert Checkpoint.of(note) == checkpoint
    store.close()
    for chain in chains:
        chain.close()


def _hash(chain: RpcChain, height: int) -> str:
    return str(chain.request("eth_getBlockByNumber", [hex(height), False])["hash"])
