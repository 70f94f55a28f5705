"""Reading the conformance vectors of ``tdr-evidence/1``."""

from __future__ import annotations

import json
from typing import Any

from registry.base.canonical import canonical_json
from registry.base.primitives import Bytes32
from registry.evidence.trust import AgreeingNodes, NodeAnswer, PinnedBlocks, SignedCheckpoints, Trust
from registry.notes.note import VerifierKey

Json = dict[str, Any]


def apply(bundle: bytes, case: Json) -> bytes:
    """The bundle of a case with its changes.

    `edits` change the JSON document, which is then written in its canonical form again; `replace` changes the text:
    the first occurrence of each pair's first text becomes the second. ``^`` and ``$`` denote its two ends.
    """
    if edits := case.get("edits"):
        document = json.loads(bundle)
        for edit in edits:
            holder = document
            for part in edit["at"][:-1]:
                holder = holder[part]
            if edit.get("delete"):
                del holder[edit["at"][-1]]
            else:
                holder[edit["at"][-1]] = edit["set"]
        bundle = canonical_json(document)
    if replaced := case.get("replace"):
        text = f"^{bundle.decode()}$"
        for old, new in replaced:
            if old not in text:
                raise ValueError(f"{case['name']}: {old[:40]!r} is not in the text")
            text = text.replace(old, new, 1)
        bundle = text.removeprefix("^").removesuffix("$").encode()
    return bundle


def trust_of(policy: Json) -> Trust:
    """The policy of a case."""
    if "hashes" in policy:
        return PinnedBlocks({Bytes32.parse(block) for block in policy["hashes"]}, policy.get("chainId"))
    if "nodes" in policy:
        return AgreeingNodes(
            [
                NodeAnswer(
                    node["name"],
                    node["chainId"],
                    {int(height): Bytes32.parse(block) for height, block in node["blocks"].items()},
                )
                for node in policy["nodes"]
            ]
        )
    witnesses = [VerifierKey.parse(key) for key in policy["witnesses"]]
    return SignedCheckpoints(VerifierKey.parse(policy["node"]), witnesses, policy["threshold"])
