"""Makes bundles/ and cases.json: what every verifier of ``tdr-evidence/1`` must accept and refuse.

    python -m tests.vectors.evidence.make

The bundles come from a fresh chain, so each run makes other ones. A case is a bundle, changes to it, a policy, and
what must come of it; docs/evidence.md tells how to read them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

from registry.devchain.embedded import EmbeddedChain
from registry.evidence.steps import StepFailed
from registry.evidence.verify import blocks_to_vouch_for, verify
from registry.notes.note import KeyKind, SigningKey
from registry.rooms.protocols import PROTOCOLS
from tests.chain.wallet import RELAYER
from tests.evidence.cases import Json, apply, trust_of
from tests.evidence.stories import NODE, WITNESSES, Story, tell
from tests.evidence.world import World
from tests.vectors.evidence.changes import alterations, differences
from tests.vectors.evidence.crafted import crafted

HERE = Path(__file__).parent


def texts(source: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Changes of the text itself, after which it is not in canonical form."""
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
    """Return the Python verifier's result."""
    try:
        return {"isComplete": verify(source, trust_of(trust), PROTOCOLS).is_complete}
    except StepFailed as failed:
        return {"failsAt": failed.number}


def proposed(stories: dict[str, Story]) -> Iterator[tuple[str, Json]]:
    """Yield all cases without their expected results: the story that each starts from, and the case."""
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
