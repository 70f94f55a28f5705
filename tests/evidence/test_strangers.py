"""A1: requests of strangers change neither whether evidence can be made nor how large it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from registry.base.errors import InvalidInput
from registry.base.primitives import DatasetId
from registry.chain.client import Chain, RpcError
from registry.chain.history import logs_until
from registry.chain.rpc import RpcChain
from registry.devchain.embedded import EmbeddedChain
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import Verified, verify
from registry.evidence_export.bundles import export_bundle
from registry.rooms.access import grantees as choice
from registry.rooms.access.grantees import AccessLogs
from registry.rooms.datasets.events import REGISTERED
from registry.rooms.protocols import PROTOCOLS
from tests.chain.wallet import RELAYER
from tests.evidence.stories import ForgetfulNode
from tests.evidence.world import World, address_of, manifest, person, word
from tests.fixtures.altered import OneByOne
from tests.fixtures.chains import StartAnvil

REFUSALS = {
    "geth": (-32602, "exceed maximum block range: 5000"),
    "geth, time": (-32000, "query timeout exceeded"),
    "Infura, embedded": (-32005, "query returned more than 10000 results"),
    "Besu": (-32005, "Requested range exceeds maximum RPC range limit"),
    "Erigon": (-32000, "query block range exceeds server limit"),
    "Alchemy": (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range"),
    "reth": (-32602, "query exceeds max results 20000, retry with the range 1-2"),
}
"""What nodes say where a request for logs asks for too much."""


class LimitedNode(OneByOne):
    """A node that refuses requests for logs which ask for more than it gives.

    Args:
        chain: The chain behind it.
        refusal: Code and message of its refusals.
        most_logs: How many logs it gives in one answer.
        most_blocks: Of how many blocks.
    """

    def __init__(self, chain: Chain, refusal: tuple[int, str], *, most_logs: int, most_blocks: int) -> None:
        super().__init__(chain)
        self._refusal = refusal
        self._most = most_logs, most_blocks
        self.refused = 0
        self.given: list[Any] = []

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        answer = self._chain.request(method, params)
        if method == "eth_getLogs":
            wanted: Any = params[0]
            blocks = int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1
            if len(answer) > self._most[0] or blocks > self._most[1]:
                self.refused += 1
                raise RpcError(*self._refusal)
            self.given += answer
        return answer


@pytest.fixture(scope="module", params=["embedded", "anvil"])
def fresh(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world on each kind of chain."""
    if request.param == "embedded":
        yield World(EmbeddedChain.in_memory(RELAYER))
    else:
        start: StartAnvil = request.getfixturevalue("start_anvil")
        chain = RpcChain([start("--chain-id", "31337")[1]])
        yield World(chain)
        chain.close()


STRANGERS = 12


def swollen(world: World, name: str) -> DatasetId:
    """A dataset that one grantee asked for and got, another got and lost, and strangers ask for."""
    dataset_id = world.register(manifest(name), salt=word(name))
    world.request(dataset_id)
    world.grant(dataset_id, world.reader)
    world.grant(dataset_id, world.other)
    world.revoke(dataset_id, world.other)
    return dataset_id


def exported(world: World, dataset_id: DatasetId, chain: Chain | None = None, **options: Any) -> bytes:
    return export_bundle(chain or world.chain, world.deployment, dataset_id, world.latest(), **options)


def verified(world: World, bundle: bytes) -> Verified:
    return verify(bundle, PinnedBlocks({world.latest().hash}, world.deployment.chain_id), PROTOCOLS)


def test_requests_of_strangers_neither_enter_nor_swell_the_evidence(fresh: World) -> None:
    dataset_id = swollen(fresh, "swollen")
    fresh.blocks(STRANGERS)
    before = exported(fresh, dataset_id)
    for number in range(STRANGERS):
        fresh.request(dataset_id, by=person(f"stranger {number}"))
    after = exported(fresh, dataset_id)
    told, tells = json.loads(before), json.loads(after)
    for part in ("messages", "receipts", "content", "contracts"):
        assert tells[part] == told[part]
    assert tells["record"]["access"] == told["record"]["access"]
    assert tells["record"]["events"] == told["record"]["events"]
    assert len(tells["record"]["access"]) == 2
    others = len(json.dumps(told["state"])) + len(json.dumps(told["headers"]))
    grown = len(json.dumps(tells["state"])) + len(json.dumps(tells["headers"]))
    # A header a block, and a few nodes more on the way to a slot.
    assert grown < others + STRANGERS * 1_400 + 6_000
    assert verified(fresh, after).is_complete


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=list(REFUSALS))
def test_a_node_that_limits_its_answers_gives_the_same_evidence(fresh: World, refusal: tuple[int, str]) -> None:
    dataset_id = swollen(fresh, f"limited {refusal}")
    node = LimitedNode(fresh.chain, refusal, most_logs=2, most_blocks=7)
    assert exported(fresh, dataset_id, node) == exported(fresh, dataset_id)
    assert node.refused


def test_a_block_with_more_logs_than_the_node_gives_is_read_from_its_receipts(fresh: World) -> None:
    dataset_id = swollen(fresh, "one block")
    node = LimitedNode(fresh.chain, REFUSALS["Infura, embedded"], most_logs=0, most_blocks=10**6)
    assert exported(fresh, dataset_id, node) == exported(fresh, dataset_id)
    filters = [[[REGISTERED], None], [[REGISTERED]]]
    once = logs_until(node, fresh.deployment.address_of("DatasetRegistry"), filters, 0, fresh.latest())
    assert once == logs_until(fresh.chain, fresh.deployment.address_of("DatasetRegistry"), filters, 0, fresh.latest())
    assert once


def test_logs_of_requests_are_not_even_read_unless_they_are_shown(fresh: World) -> None:
    dataset_id = swollen(fresh, "not read")
    for number in range(3):
        fresh.request(dataset_id, by=person(f"unread {number}"))
    node = LimitedNode(fresh.chain, REFUSALS["geth"], most_logs=10**6, most_blocks=10**6)
    exported(fresh, dataset_id, node)
    strangers = {address_of(person(f"unread {number}")).hex() for number in range(3)}
    assert node.given
    assert not [log for log in node.given if any(topic[26:] in strangers for topic in log["topics"])]


def test_a_stranger_who_is_named_is_shown_with_all_requests(fresh: World) -> None:
    dataset_id = swollen(fresh, "named")
    stranger = person("a stranger by name")
    for number in range(3):
        fresh.request(dataset_id, number, by=stranger)
    shown = verified(fresh, exported(fresh, dataset_id, grantees=[address_of(stranger)])).record
    (access,) = shown.access
    assert (access.grantee, access.requests, access.rights) == (address_of(stranger), 3, 0)
    assert [event.event for event in shown.events] == ["Registered"] + ["AccessRequested"] * 3


@pytest.mark.parametrize("forgetful", [False, True], ids=["with state", "without state"])
def test_a_grantee_cannot_swell_the_evidence_by_asking_again(
    fresh: World, forgetful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "MAX_REQUESTS", 2)
    monkeypatch.setattr(choice, "MAX_NAMED_REQUESTS", 3)
    dataset_id = swollen(fresh, f"asks again {forgetful}")
    fresh.grant(dataset_id, fresh.other, epoch=2)
    chain: Chain = ForgetfulNode(fresh.chain, {"eth_getProof", "eth_getStorageAt"}) if forgetful else fresh.chain
    for number in (1, 2):
        fresh.request(dataset_id, number)
    shown = verified(fresh, exported(fresh, dataset_id, chain)).record
    assert [access.grantee for access in shown.access] == [address_of(fresh.other)]
    held = AccessLogs(chain, fresh.deployment, dataset_id, fresh.latest()).in_force(10)
    assert (held.grantees, held.further) == ((address_of(fresh.other),), 1)
    named = [address_of(fresh.reader)]
    assert verified(fresh, exported(fresh, dataset_id, chain, grantees=named)).record.access[0].requests == 3
    fresh.request(dataset_id, 3)
    with pytest.raises(InvalidInput, match="access 4 times"):
        exported(fresh, dataset_id, chain, grantees=named)
    exported(fresh, dataset_id, chain)


def test_grants_in_force_are_those_that_hold_the_newest_first(fresh: World) -> None:
    dataset_id = swollen(fresh, "in force")
    people = [person(f"grantee {number}") for number in range(4)]
    for one in people:
        fresh.grant(dataset_id, one)
    soon = fresh.latest().timestamp + 3_000_000
    fresh.grant(dataset_id, person("not yet"), starts_at=soon)
    fresh.revoke(dataset_id, people[1])
    held = AccessLogs(fresh.chain, fresh.deployment, dataset_id, fresh.latest()).in_force(2)
    assert held.grantees == (address_of(people[3]), address_of(people[2]))
    assert held.further == 2


def test_a_grant_that_expired_is_not_in_force(fresh: World) -> None:
    dataset_id = swollen(fresh, "expired")
    now = fresh.latest().timestamp
    fresh.grant(dataset_id, person("for a while"), expires_at=now + 100_000)
    logs = AccessLogs(fresh.chain, fresh.deployment, dataset_id, fresh.latest())
    assert address_of(person("for a while")) in logs.in_force(9).grantees
    later = replace(logs, until=replace(logs.until, timestamp=now + 100_000))
    assert later.in_force(9).grantees == (address_of(fresh.reader),)


def test_more_grantees_than_a_node_proves_at_once_are_proven(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.evidence_export.reading._SLOTS_AT_ONCE", 2)
    monkeypatch.setattr(choice, "_TOPICS_AT_ONCE", 2)
    dataset_id = swollen(fresh, "many")
    for number in range(3):
        fresh.request(dataset_id, by=person(f"of many {number}"))
        fresh.grant(dataset_id, person(f"of many {number}"))
    shown = verified(fresh, exported(fresh, dataset_id))
    assert shown.is_complete
    assert len(shown.record.access) == 5
