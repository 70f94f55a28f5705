"""Messages with valid signatures that did not cause the event next to them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.base.canonical import canonical_json
from registry.base.errors import VerificationFailed
from registry.base.primitives import Bytes32
from registry.evidence.signatures import recover
from registry.evidence.steps import StepFailed
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import verify
from registry.rooms.protocols import PROTOCOLS
from tests.evidence.stories import Story
from tests.evidence.world import World, address_of, word

NAMES = {
    "Registered": "Registration",
    "Revised": "Revision",
    "Transferred": "TitleTransfer",
    "Withdrawn": "Withdrawal",
    "AccessRequested": "AccessRequest",
    "AccessGranted": "AccessGrant",
    "AccessRevoked": "AccessRevocation",
}
OTHER: dict[str, Any] = {
    "uri": "https://other.example",
    "reason": "another",
    "purpose": "another",
    "version": 2,
    "rights": 4,
    "startsAt": 2**39,
    "expiresAt": 2**41,
    "epoch": 9,
    "requests": 9,
    "deadline": 1,
    "sources": [{"datasetId": str(word("source")), "version": 1}],
}


def altered(name: str, value: Any) -> Any:
    if name in OTHER:
        return OTHER[name]
    return "0x2222222222222222222222222222222222222222" if len(value) == 42 else str(word("another"))


def resigned(source: bytes, index: int, field: str, world: World) -> bytes:
    """The bundle with one field of a message changed and the message signed again by the right one."""
    document = json.loads(source)
    signed = document["messages"][index]
    event = document["record"]["events"][signed["event"]]["event"]
    signed["message"][field] = altered(field, signed["message"][field])
    signer = {"AccessRequested": world.reader, "Withdrawn": world.heir}.get(event, world.owner)
    message = PROTOCOLS.messages[NAMES[event]].parse(signed["message"])
    signed["message"] = message.to_json()
    signed["signature"] = f"0x{world.sign(message, signer).hex()}"
    return canonical_json(document)


def test_a_message_that_says_something_else_than_its_event_is_refused(stories: dict[str, Story], world: World) -> None:
    story = stories["withdrawn"]
    trust = PinnedBlocks({story.until.hash})
    seen = set()
    for index, signed in enumerate(json.loads(story.bundle)["messages"]):
        for field in signed["message"]:
            seen.add(field)
            with pytest.raises(StepFailed, match=r"Step 10 \(signatures\)"):
                verify(resigned(story.bundle, index, field, world), trust, PROTOCOLS)
    assert {"uri", "salt", "head", "to", "reason", "purpose", "epoch", "startsAt", "termsHash", "deadline"} <= seen


def test_a_message_signed_again_as_it_was_is_accepted(stories: dict[str, Story], world: World) -> None:
    story = stories["withdrawn"]
    document = json.loads(story.bundle)
    message = PROTOCOLS.messages["Registration"].parse(document["messages"][0]["message"])
    document["messages"][0]["signature"] = f"0x{world.sign(message, world.owner).hex()}"
    assert verify(canonical_json(document), PinnedBlocks({story.until.hash}), PROTOCOLS).is_complete


def test_who_signed_is_recovered_as_the_other_library_has_it(world: World) -> None:
    digest = word("digest")
    signature = bytes(world.owner.unsafe_sign_hash(digest).signature)
    assert recover(digest, signature) == address_of(world.owner)
    assert recover(word("another"), signature) != address_of(world.owner)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(65),
        bytes(64) + b"\x1b",
        b"\xff" * 32 + bytes(31) + b"\1\x1b",
        bytes(31) + b"\1" + b"\xff" * 32 + b"\x1b",
    ],
)
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(VerificationFailed):
        recover(Bytes32(word("digest")), signature)
