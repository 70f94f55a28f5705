"""Makes bundles/ and cases.json: what every verifier of ``tdr-evidence/1`` must accept and refuse.

    python -m tests.vectors.evidence.make

The bundles come from a fresh chain, so each run makes other ones. A case is a bundle, changes to it, a policy, and
what must come of it; docs/evidence.md tells how to read them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from registry.base.primitives import Address, Bytes32
from registry.devchain.embedded import EmbeddedChain
from registry.ethereum.rlp import decode_list, encode
from registry.evidence.steps import StepFailed
from registry.evidence.verify import blocks_to_vouch_for, verify
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, SigningKey
from registry.rooms.protocols import PROTOCOLS
from tests.chain.wallet import RELAYER
from tests.evidence.cases import Json, apply, trust_of
from tests.evidence.stories import NODE, TIME, WITNESSES, Story, tell
from tests.evidence.world import World

HERE = Path(__file__).parent
ADDRESS_DIGITS = 42
Change = Callable[[Any], object]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value that is no object and no array, with the way to it."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    else:
        yield path, value


def objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every object."""
    if isinstance(value, dict):
        yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from objects(child, (*path, key))


def shape(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """A way with its indices left out: one kind of place."""
    return tuple(part if isinstance(part, str) else "*" for part in path)


def altered(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case None:
            return 0
        case list():
            return ["0x00"]
        case str() if value.startswith("0x") and len(value) > 2:
            middle = len(value) // 2
            other = f"{value[:middle]}{int(value[middle], 16) ^ 1:x}{value[middle + 1 :]}"
            return str(Address.parse(other.lower())) if len(value) == ADDRESS_DIGITS else other
        case str():
            return f"{value}x"
    raise TypeError(type(value).__name__)


def place(document: Any, path: tuple[str | int, ...]) -> tuple[Any, str | int]:
    """The object or array that holds a place, and the key of it there."""
    for part in path[:-1]:
        document = document[part]
    return document, path[-1]


def alterations(document: Json) -> Iterator[tuple[str, list[Json]]]:
    """One case for each kind of place altered, one for each key left out, and one for each unknown key."""
    seen: set[tuple[str, ...]] = set()
    for path, value in leaves(document):
        if shape(path) not in seen:
            seen.add(shape(path))
            yield f"{'/'.join(map(str, path))} altered", [{"at": list(path), "set": altered(value)}]
    seen.clear()
    for path in objects(document):
        if shape(path) in seen or path[:1] == ("content",) or "values" in path:
            continue
        seen.add(shape(path))
        holder: Any = document
        for part in path:
            holder = holder[part]
        yield f"{'/'.join(map(str, path)) or 'the bundle'} with an unknown key", [{"at": [*path, "note"], "set": "x"}]
        for key in holder:
            if not path or key in ("owner", "nodes", "signature", "hash", "epoch", "path", "keys", "DatasetRegistry"):
                yield f"{'/'.join(map(str, (*path, key)))} left out", [{"at": [*path, key], "delete": True}]


def differences(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> list[Json]:
    """The changes that lead from one document to another."""
    if isinstance(before, dict) and isinstance(after, dict):
        changes = [{"at": [*path, key], "delete": True} for key in before.keys() - after.keys()]
        for key, value in after.items():
            if key not in before:
                changes.append({"at": [*path, key], "set": value})
            else:
                changes += differences(before[key], value, (*path, key))
        return changes
    return [] if before == after else [{"at": list(path), "set": after}]


def drop_event(document: Json, index: int) -> None:
    """Leaves out an event with its receipt and its message, as one would who wants to hide it."""
    event = document["record"]["events"].pop(index)
    document["receipts"] = [part for part in document["receipts"] if part["block"] != event["block"]]
    document["messages"] = [
        message | {"event": message["event"] - (message["event"] > index)}
        for message in document["messages"]
        if message["event"] != index
    ]


def hide_last(of: str, values: Json) -> Change:
    """Hides the last event of a name, and makes the record say what was so before it."""

    def change(document: Json) -> None:
        names = [event["event"] for event in document["record"]["events"]]
        drop_event(document, len(names) - 1 - names[::-1].index(of))
        for path, value in values.items():
            holder, key = place(document, tuple(int(part) if part.isdigit() else part for part in path.split("/")))
            holder[key] = value

    return change


Case = tuple[str, str, Change]
"""What somebody would try who means to deceive: a name, the story it starts from, and the change."""


def hidden(documents: dict[str, Json]) -> Iterator[Case]:
    """Events left out, and parts of other bundles put in."""
    revoked, granted = documents["revoked"], documents["granted"]
    before = documents["granted"]["record"]
    yield "a withdrawal left out", "withdrawn", hide_last("Withdrawn", {"record/dataset/withdrawn": False})
    yield (
        "a transfer left out",
        "withdrawn",
        hide_last("Transferred", {"record/dataset/owner": before["dataset"]["owner"]}),
    )
    yield "a newer version left out", "granted", hide_last("Revised", {"record/dataset/version": 1})
    reader = revoked["record"]["access"][0]["grantee"]
    earlier = next(entry for entry in granted["record"]["access"] if entry["grantee"] == reader)
    yield "a revocation left out", "revoked", hide_last("AccessRevoked", {"record/access/0": earlier})
    yield "a request left out", "revoked", hide_last("AccessRequested", {"record/access/0/requests": 0})
    yield "the registration left out", "granted", lambda d: drop_event(d, 0)

    def older_state(document: Json) -> None:
        document["state"] = granted["state"]

    yield "the state of an earlier block", "withdrawn", older_state
    yield "the state of another dataset's bundle", "sent by the owner", older_state
    for key in ("headers", "receipts", "record", "datasetId"):

        def swap(document: Json, key: str = key) -> None:
            document[key] = documents["sent by the owner"][key]

        yield f"{key} of another bundle", "withdrawn", swap


def misplaced() -> Iterator[Case]:
    """Nodes, receipts and headers too few, too many, or in the wrong place."""
    yield "a trie node left out of the state", "withdrawn", lambda d: d["state"].pop()
    yield "a trie node too many in the state", "withdrawn", lambda d: d["state"].append("0xc0")
    yield "a trie node twice in the state", "withdrawn", lambda d: d["state"].append(d["state"][0])
    yield "an empty state", "registered", lambda d: d.update(state=[])
    yield "a trie node left out of a receipt", "granted", lambda d: d["receipts"][0]["nodes"].pop()
    yield "a trie node too many in a receipt", "granted", lambda d: d["receipts"][0]["nodes"].append("0xc0")
    yield "a receipt twice", "granted", lambda d: d["receipts"].append(copy.deepcopy(d["receipts"][-1]))
    yield "receipts out of order", "granted", lambda d: d["receipts"].reverse()
    yield "a transaction's index moved", "granted", lambda d: d["receipts"][1].update(transactions=[1])
    yield "a transaction's index doubled", "granted", lambda d: d["receipts"][1].update(transactions=[0, 0])
    yield "a negative index", "granted", lambda d: d["receipts"][1].update(transactions=[-1])
    yield "a fraction as index", "granted", lambda d: d["receipts"][1].update(transactions=[0.5])
    yield "true as index", "granted", lambda d: d["receipts"][1].update(transactions=[True])
    yield "a string as index", "granted", lambda d: d["receipts"][1].update(transactions=["0"])
    yield "no receipts", "granted", lambda d: d.update(receipts=[])
    yield "receipts of another block", "granted", lambda d: d["receipts"][0].update(block=d["receipts"][0]["block"] + 1)
    yield "receipts of a block without header", "granted", lambda d: d["receipts"][0].update(block=1)
    yield "a header left out", "granted", lambda d: d["headers"][0].pop(2)
    yield "the first header left out", "granted", lambda d: d["headers"][0].pop(0)
    yield "the last header left out", "granted", lambda d: d["headers"][0].pop()
    yield "headers out of order", "granted", lambda d: d["headers"][0].reverse()
    yield "a header twice", "granted", lambda d: d["headers"][0].insert(1, d["headers"][0][0])
    yield "a run of no headers", "granted", lambda d: d["headers"].append([])
    yield "no headers", "granted", lambda d: d.update(headers=[])
    yield "runs out of order", "apart", lambda d: d["headers"].reverse()
    yield "a run torn apart", "granted", lambda d: d.update(headers=[[raw] for raw in d["headers"][0]])
    yield "a run twice", "apart", lambda d: d["headers"].append(d["headers"][-1])


def forged(documents: dict[str, Json]) -> Iterator[Case]:
    """Headers and signatures made up."""
    events = documents["withdrawn"]["record"]["events"]

    def forged_header(field: int, value: bytes) -> Change:
        def change(document: Json) -> None:
            fields = decode_list(bytes.fromhex(document["headers"][-1][-1][2:]))
            fields[field] = value
            document["headers"][-1][-1] = f"0x{encode(fields).hex()}"

        return change

    yield "a forged time", "registered", forged_header(11, b"\x01")
    yield "a forged state root", "registered", forged_header(3, bytes(32))
    yield "a forged receipts root", "registered", forged_header(5, bytes(32))
    yield "a forged height", "registered", forged_header(8, b"\x01")
    yield "a header with a field too short", "registered", forged_header(3, bytes(31))

    other = events[-1]["values"]
    yield "a false reason", "withdrawn", lambda d: d["record"]["events"][-1]["values"].update(reason=f"{other}")
    yield "a message for another event", "withdrawn", lambda d: d["messages"][0].update(event=1)
    yield "a message for no event", "withdrawn", lambda d: d["messages"][-1].update(event=99)
    yield "a message twice", "withdrawn", lambda d: d["messages"].append(d["messages"][-1])
    yield "messages out of order", "withdrawn", lambda d: d["messages"].reverse()
    yield (
        "signatures exchanged",
        "withdrawn",
        lambda d: d["messages"][0].update(signature=d["messages"][1]["signature"]),
    )
    yield "a signature cut short", "registered", lambda d: d["messages"][0].update(signature="0x00")
    yield "an empty signature", "registered", lambda d: d["messages"][0].update(signature="0x")
    yield "a signature of zeros", "registered", lambda d: d["messages"][0].update(signature=f"0x{'00' * 65}")

    def high_s(document: Json) -> None:
        raw = bytes.fromhex(document["messages"][0]["signature"][2:])
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        mirrored = order - int.from_bytes(raw[32:64], "big")
        document["messages"][0]["signature"] = f"0x{(raw[:32] + mirrored.to_bytes(32, 'big')).hex()}{55 - raw[64]:02x}"

    yield "a signature mirrored to a high s", "registered", high_s
    yield "a message with a field too many", "registered", lambda d: d["messages"][0]["message"].update(x=1)
    yield "a message with a field missing", "registered", lambda d: d["messages"][0]["message"].pop("uri")
    yield "a deadline before the event", "registered", lambda d: d["messages"][0]["message"].update(deadline=1)


def renamed(documents: dict[str, Json]) -> Iterator[Case]:
    """Other chains, contracts and grantees."""
    yield "chain 1", "registered", lambda d: d.update(chainId=1)
    yield "chain 0", "registered", lambda d: d.update(chainId=0)
    yield (
        "the contracts exchanged",
        "granted",
        lambda d: d.update(
            contracts={
                "AccessGrants": d["contracts"]["DatasetRegistry"],
                "DatasetRegistry": d["contracts"]["AccessGrants"],
            }
        ),
    )
    yield (
        "an address in lower case",
        "granted",
        lambda d: d["contracts"].update(DatasetRegistry=d["contracts"]["DatasetRegistry"].lower()),
    )
    yield "a hash in upper case", "granted", lambda d: d.update(datasetId=f"0x{d['datasetId'][2:].upper()}")
    yield (
        "AccessGrants named for nothing",
        "registered",
        lambda d: d["contracts"].update(AccessGrants=d["contracts"]["DatasetRegistry"]),
    )
    yield "AccessGrants not named", "granted", lambda d: d["contracts"].update(AccessGrants=None)
    yield "a grantee left out", "granted", lambda d: d["record"]["access"].pop()
    yield "a grantee twice", "granted", lambda d: d["record"]["access"].append(d["record"]["access"][-1])
    yield "grantees out of order", "granted", lambda d: d["record"]["access"].reverse()

    def one_more(document: Json) -> None:
        stranger = documents["nobody"]["record"]["access"][0]
        access = [*document["record"]["access"], stranger | {"rights": 1}]
        document["record"]["access"] = sorted(access, key=lambda entry: str(entry["grantee"]).lower())

    yield "a grantee made up", "granted", one_more
    yield "a grantee made up, without a state", "without state", one_more


def other_content() -> Iterator[Case]:
    """Files, manifests and metadata that are not the version's."""
    yield "the whole manifest of another version", "content", lambda d: d["content"].update(version=2)
    yield "a content without anything", "content", lambda d: d["content"].update(manifest=None, metadata=None)
    yield "version 0", "single files", lambda d: d["content"].update(version=0)
    yield "a path cut short", "single files", lambda d: d["content"]["files"][0]["path"].pop()
    yield (
        "a path extended",
        "single files",
        lambda d: d["content"]["files"][0]["path"].append(["left", f"0x{'00' * 32}"]),
    )
    yield (
        "a path of 65",
        "single files",
        lambda d: d["content"]["files"][0].update(path=[["left", f"0x{'00' * 32}"]] * 65),
    )
    yield "an empty path", "single files", lambda d: d["content"]["files"][0].update(path=[])
    yield "sides exchanged", "single files", lambda d: d["content"]["files"][0]["path"][0].__setitem__(0, "middle")
    yield (
        "paths exchanged",
        "single files",
        lambda d: d["content"]["files"][0].update(path=d["content"]["files"][1]["path"]),
    )
    yield "files out of order", "single files", lambda d: d["content"]["files"].reverse()
    yield "a file twice", "single files", lambda d: d["content"]["files"].append(d["content"]["files"][-1])
    yield "a file with another size", "single files", lambda d: d["content"]["files"][0]["entry"].update(size=1)
    yield "a file without a size", "single files", lambda d: d["content"]["files"][0]["entry"].pop("size")
    yield "a file with a field too many", "single files", lambda d: d["content"]["files"][0]["entry"].update(x=1)
    yield (
        "a path that leaves its folder",
        "single files",
        lambda d: d["content"]["files"][0]["entry"].update(path="../a"),
    )
    yield (
        "a private file without its salt",
        "sent by the owner",
        lambda d: d["content"]["files"][0]["entry"].pop("salt"),
    )
    yield "another salt", "sent by the owner", lambda d: d["content"]["files"][0]["entry"].update(salt="00" * 16)
    yield "metadata with another key", "content", lambda d: d["content"]["metadata"].update(x=1)
    yield "metadata with a key less", "content", lambda d: d["content"]["metadata"].pop("name")
    yield "metadata with another number", "content", lambda d: d["content"]["metadata"].update(rows=345)
    yield (
        "a manifest with a file more",
        "content",
        lambda d: d["content"]["manifest"]["files"].append(d["content"]["manifest"]["files"][-1] | {"path": "zz"}),
    )
    yield "a manifest with a file less", "content", lambda d: d["content"]["manifest"]["files"].pop()
    yield "a manifest with another root", "content", lambda d: d["content"]["manifest"].update(root=f"0x{'00' * 32}")
    yield "a manifest of another format", "content", lambda d: d["content"]["manifest"].update(format="tdr-manifest/2")
    yield "format 2", "registered", lambda d: d.update(format="tdr-evidence/2")


def noted() -> Iterator[Case]:
    """Checkpoints that do not vouch."""

    def notes(*, drop: int = 0, key: SigningKey | None = None, text: str = "", reverse: bool = False) -> Change:
        def change(document: Json) -> None:
            part = document["checkpoints"]
            parsed = [Note.parse(source) for source in part["notes"]]
            if drop:
                parsed = [Note(note.text, note.signatures[:-drop]) for note in parsed]
                part["keys"] = part["keys"][:-drop]
            if key is not None:
                parsed = [key.sign(note, TIME) for note in parsed]
                part["keys"].append(str(key.verifier))
            if text:
                stated = Checkpoint.of(parsed[-1])
                false = (
                    Checkpoint(stated.chain_id, stated.height, Bytes32(bytes(32)))
                    if text == "block"
                    else (Checkpoint(stated.chain_id + 1, stated.height, stated.block_hash))
                )
                note = false.note()
                for signer in (NODE, *WITNESSES):
                    note = signer.sign(note, TIME)
                parsed[-1] = note
            part["notes"] = [str(note) for note in (reversed(parsed) if reverse else parsed)]

        return change

    mallory = SigningKey("witness.example/2", KeyKind.COSIGNATURE, b"\x09" * 32)
    yield "one cosignature", "checkpoints", notes(drop=2)
    yield "a stranger's cosignature under a witness's name", "checkpoints", notes(drop=3, key=mallory)
    yield "no cosignature and not the node's signature", "checkpoints", notes(drop=4, key=mallory)
    yield "a checkpoint for another block", "checkpoints", notes(text="block")
    yield "a checkpoint of another chain", "checkpoints", notes(text="chain")
    yield "checkpoints out of order", "checkpoints", notes(reverse=True)
    yield "a key that signed nothing", "checkpoints", lambda d: d["checkpoints"]["keys"].append(str(mallory.verifier))
    yield "a key left out", "checkpoints", lambda d: d["checkpoints"]["keys"].pop()
    yield "a checkpoint left out", "checkpoints", lambda d: d["checkpoints"]["notes"].pop()
    yield "no checkpoints", "checkpoints", lambda d: d.update(checkpoints=None)


def crafted(documents: dict[str, Json]) -> Iterator[Case]:
    """All of these."""
    yield from hidden(documents)
    yield from misplaced()
    yield from forged(documents)
    yield from renamed(documents)
    yield from other_content()
    yield from noted()


def texts(source: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Changes of the text itself, after which it is no longer in its one form."""
    yield "a key twice", [['"format":', '"format":"tdr-evidence/1","format":']]
    yield "a key twice, deep inside", [['"withdrawn":', '"withdrawn":false,"withdrawn":']]
    yield "a space", [['{"chainId"', '{ "chainId"']]
    yield "a newline at the end", [['"state":', '"state":'], ["]}$", "]}\n$"]]
    yield "a byte order mark", [["^", "\ufeff"]]
    yield "an escape that is not needed", [['"tdr-evidence/1"', '"tdr-evidence\\/1"']]
    yield "a number with a fraction", [['"version":1', '"version":1.0']]
    yield "a number with an exponent", [['"version":1', '"version":1e0']]
    yield "a number with a leading zero", [['"version":1', '"version":01']]
    yield "not a number", [['"version":1', '"version":NaN']]
    yield "a huge number", [['"version":1', '"version":1' + "0" * 400]]
    yield "deep arrays", [['"checkpoints":null', '"checkpoints":' + "[" * 5000 + "]" * 5000]]
    yield "deep objects", [['"checkpoints":null', '"checkpoints":' + '{"a":' * 100 + "1" + "}" * 100]]
    yield "a number beyond 2**53", [['"version":1', '"version":9007199254740992']]
    yield "a comment", [['{"chainId"', '{/**/"chainId"']]
    yield "cut short", [[source[-40:], ""]]
    yield "nothing", [[source, ""]]
    yield "an array", [[source, "[]"]]
    yield "null", [[source, "null"]]
    yield "a string", [[source, '"tdr-evidence/1"']]
    yield "two bundles", [["]}$", "]}{}$"]]
    yield "a lone surrogate", [['"tdr-evidence/1"', '"tdr-evidence/\\ud800"']]
    yield (
        "keys out of order",
        [['{"chainId"', '{"format":"tdr-evidence/1","chainId"'], [',"format":"tdr-evidence/1"', ""]],
    )


def policies(name: str, story: Story) -> Iterator[tuple[str, Json]]:
    """Policies for a bundle that is as it was issued."""
    blocks = {str(height): str(block) for height, block in blocks_to_vouch_for(story.bundle, PROTOCOLS).items()}
    hashes = sorted(blocks.values())
    chain_id = json.loads(story.bundle)["chainId"]
    yield "pinned, the chain named", {"hashes": hashes, "chainId": chain_id}
    yield "pinned", {"hashes": hashes}
    yield "pinned, another chain", {"hashes": hashes, "chainId": 1}
    yield "another block pinned", {"hashes": [f"0x{'00' * 32}"]}
    node = {"name": "node", "chainId": chain_id, "blocks": blocks}
    yield "two nodes agree", {"nodes": [node, node]}
    yield "a node has another block", {"nodes": [node, node | {"blocks": dict.fromkeys(blocks, f"0x{'00' * 32}")}]}
    yield "a node has no block", {"nodes": [node | {"blocks": {}}]}
    yield "a node of another chain", {"nodes": [node | {"chainId": 1}]}
    if name in ("checkpoints", "registered"):
        witnesses = [str(witness.verifier) for witness in WITNESSES]
        yield "2 of 3 witnesses", {"node": str(NODE.verifier), "witnesses": witnesses, "threshold": 2}
        stranger = str(SigningKey("registry.example/node", KeyKind.NOTE, b"\x08" * 32).verifier)
        yield "another node's key", {"node": stranger, "witnesses": witnesses, "threshold": 0}


def outcome(source: bytes, trust: Json) -> Json:
    """What our verifier makes of it."""
    try:
        return {"isComplete": verify(source, trust_of(trust), PROTOCOLS).is_complete}
    except StepFailed as failed:
        return {"failsAt": failed.number}


def proposed(stories: dict[str, Story]) -> Iterator[tuple[str, Json]]:
    """All cases without what must come of them: the story that each starts from, and the case."""
    documents: dict[str, Json] = {name: json.loads(story.bundle) for name, story in stories.items()}
    trusts = {name: dict(policies(name, story)) for name, story in stories.items()}
    pinned = {name: policy["pinned, the chain named"] for name, policy in trusts.items()}
    for story, policy in trusts.items():
        yield from ((story, {"name": f"{story}: {name}", "trust": trust}) for name, trust in policy.items())
    for story in ("withdrawn", "checkpoints", "single files", "content", "without state"):
        for name, edits in alterations(documents[story]):
            if story in ("withdrawn", "without state") or edits[0]["at"][0] in ("checkpoints", "content"):
                yield story, {"name": f"{story}: {name}", "edits": edits, "trust": pinned[story], "refused": True}
    for name, story, change in crafted(documents):
        document = copy.deepcopy(documents[story])
        change(document)
        edits = differences(documents[story], document)
        trust = trusts[story].get("2 of 3 witnesses", pinned[story]) if story == "checkpoints" else pinned[story]
        yield story, {"name": f"{story}: {name}", "edits": edits, "trust": trust, "refused": bool(edits)}
    for name, replaced in texts(stories["registered"].bundle.decode()):
        case = {"name": f"registered: {name}", "replace": replaced, "trust": pinned["registered"], "refused": True}
        yield "registered", case


def main() -> None:
    """Writes the files, and prints how many cases there are."""
    stories = tell(World(EmbeddedChain.in_memory(RELAYER)))
    folder = HERE / "bundles"
    folder.mkdir(exist_ok=True)
    for name, story in stories.items():
        (folder / f"{name.replace(' ', '-')}.tdr.json").write_bytes(story.bundle)
    cases: list[Json] = []
    for name, case in proposed(stories):
        refused = case.pop("refused", False)
        expected = outcome(apply(stories[name].bundle, case), case["trust"])
        if refused and "failsAt" not in expected:
            raise SystemExit(f"{case['name']}: this ought to be refused, but gives {expected}")
        cases.append({"bundle": f"{name.replace(' ', '-')}.tdr.json", **case, "expect": expected})
    (HERE / "cases.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
    negative = sum("failsAt" in case["expect"] for case in cases)
    print(f"{len(cases)} cases, {negative} of them negative")  # noqa: T201 - a script's answer


if __name__ == "__main__":
    main()
