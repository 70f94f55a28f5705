"""Registering, revising, passing on and withdrawing, each by the rules of the interface."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from web3.contract.contract import ContractFunction

from .heads import dataset_id, first_head, revised_head, transferred_head, withdrawn_head
from .world import ZERO, ZERO_ADDRESS, Refusal, World

CHINESE = "数据" * 85  # 510 bytes in UTF-8


@pytest.mark.parametrize("signed", [False, True])
def test_a_registration_creates_version_one_for_its_owner(world: World, signed: bool) -> None:
    """C4: the id is keccak256(abi.encode(first owner, content root, salt))."""
    source = world.register()
    message = world.registration(uri=CHINESE, sources=[{"datasetId": source, "version": 1}])
    receipt = world.relay("Registration", message, world.owner) if signed else world.act("Registration", message)
    created = dataset_id(message)
    assert world.registry.functions.datasetIdOf(message["owner"], message["contentRoot"], message["salt"]).call() == (
        created
    )
    assert world.owner_of(created) == world.owner.address
    assert world.head(created) == first_head(message)
    assert world.registry.functions.titleOf(created).call() == [world.owner.address, first_head(message)]
    assert world.version(created) == 1
    assert not world.registry.functions.isWithdrawn(created).call()
    mint, registered = receipt["logs"]
    assert world.registry.events.Transfer().process_log(mint)["args"] == {
        "from": ZERO_ADDRESS,
        "to": world.owner.address,
        "tokenId": created,
    }
    assert world.registry.events.Registered().process_log(registered)["args"] == {
        "datasetId": created,
        **{name: message[name] for name in ("owner", "contentRoot", "metadataHash", "salt", "uri", "sources")},
    }


def test_an_unknown_dataset_has_no_head_version_or_title(world: World) -> None:
    assert world.head(1) == ZERO
    assert world.version(1) == 0
    assert world.registry.functions.titleOf(1).call() == [ZERO_ADDRESS, ZERO]
    assert not world.registry.functions.isWithdrawn(1).call()


def test_the_same_content_by_another_owner_or_salt_is_another_dataset(world: World) -> None:
    first = world.registration()
    world.act("Registration", first)
    world.act("Registration", first | {"salt": world.word()})
    world.act("Registration", first | {"owner": world.other.address}, world.other)
    assert world.owner_of(dataset_id(first)) == world.owner.address


def test_registering_an_existing_dataset_is_refused(world: World) -> None:
    """C1: an id is never reused, not even after a transfer and a withdrawal."""
    message = world.registration()
    world.act("Registration", message)
    created = dataset_id(message)
    refused = Refusal("DatasetExists", (created,))
    assert world.refusal(world.call("Registration", message), world.owner) == refused
    world.act("TitleTransfer", world.title_transfer(created))
    world.act("Withdrawal", world.withdrawal(created), world.other)
    assert world.refusal(world.call("Registration", message), world.owner) == refused
    assert world.owner_of(created) == world.other.address


def test_copied_calldata_sent_first_still_registers_for_the_owner(world: World) -> None:
    message = world.registration()
    call = world.call("Registration", message, world.sign(world.owner, "Registration", message))
    world.send(call, world.stranger)
    assert world.owner_of(dataset_id(message)) == world.owner.address
    assert world.refusal(call, world.relayer) == Refusal("DatasetExists", (dataset_id(message),))


def test_nobody_registers_for_somebody_else_without_a_signature(world: World) -> None:
    world.send(
        world.registry.functions.setApprovalForAll(world.operator.address, True),  # an operator cannot either
        world.owner,
    )
    for sender in (world.stranger, world.operator):
        assert world.refusal(world.call("Registration", world.registration()), sender) == Refusal(
            "NotAuthorised", (world.owner.address, sender.address)
        )


@pytest.mark.parametrize("signature", [b"", bytes(65), b"\x01" * 64 + b"\x1b"], ids=["none", "zeros", "ones"])
def test_nobody_registers_for_the_zero_address(world: World, signature: bytes) -> None:
    call = world.call("Registration", world.registration(ZERO_ADDRESS), signature)
    assert world.refusal(call, world.stranger).name in ("NotAuthorised", "SignatureNotBySigner")


@pytest.mark.parametrize("kind", ["Registration", "Revision"])
@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"contentRoot": ZERO}, Refusal("ContentRootZero")),
        ({"uri": "x" * 513}, Refusal("StringTooLong", (513, 512))),
        ({"uri": "数据" * 86}, Refusal("StringTooLong", (516, 512))),
        ({"sources": [{"datasetId": n, "version": 1} for n in range(33)]}, Refusal("TooManySources", (33, 32))),
    ],
)
def test_a_version_beyond_the_caps_is_refused(
    world: World, dataset: int, kind: str, fields: dict[str, Any], refused: Refusal
) -> None:
    message = world.registration(**fields) if kind == "Registration" else world.revision(dataset, **fields)
    assert world.refusal(world.call(kind, message), world.owner) == refused


def test_the_longest_strings_and_most_sources_are_accepted(world: World) -> None:
    ids = sorted(world.register() for _ in range(32))
    sources = [{"datasetId": one, "version": 1} for one in ids]
    derived = world.register(uri="x" * 512, sources=sources)
    world.act("Revision", world.revision(derived, uri="x" * 512, sources=sources))
    world.act("Withdrawal", world.withdrawal(derived, reason="x" * 512))


@pytest.mark.parametrize("kind", ["Registration", "Revision"])
def test_sources_must_exist_and_ascend(world: World, dataset: int, kind: str) -> None:
    other = world.register()
    for one in (dataset, other):
        world.act("Revision", world.revision(one))

    def call(*sources: tuple[int, int]) -> ContractFunction:
        fields: dict[str, Any] = {"sources": [{"datasetId": one, "version": version} for one, version in sources]}
        message = world.registration(**fields) if kind == "Registration" else world.revision(dataset, **fields)
        return world.call(kind, message)

    def refused(*sources: tuple[int, int]) -> Refusal:
        return world.refusal(call(*sources), world.owner)

    assert refused((dataset, 3)) == Refusal("SourceUnknown", (dataset, 3))
    assert refused((dataset, 0)) == Refusal("SourceUnknown", (dataset, 0))
    assert refused((7, 1)) == Refusal("SourceUnknown", (7, 1))
    # Every pair of two versions of two datasets: the order is Python's of the pairs (id, version).
    versions = list(itertools.product((dataset, other), (1, 2)))
    for first, second in itertools.product(versions, repeat=2):
        if first < second:
            assert world.revert_data(call(first, second), world.owner) is None
        else:
            assert refused(first, second) == Refusal("SourcesNotAscending", (1,))


def test_a_dataset_may_derive_from_two_versions_of_one(world: World, dataset: int) -> None:
    world.act("Revision", world.revision(dataset))
    world.register(sources=[{"datasetId": dataset, "version": 1}, {"datasetId": dataset, "version": 2}])


def test_a_dataset_cannot_derive_from_itself_before_it_exists(world: World) -> None:
    message = world.registration()
    message["sources"] = [{"datasetId": dataset_id(message), "version": 1}]
    assert world.refusal(world.call("Registration", message), world.owner) == Refusal(
        "SourceUnknown", (dataset_id(message), 1)
    )


@pytest.mark.parametrize("by", ["owner", "operator", "signature"])
def test_a_revision_adds_one_version(world: World, dataset: int, by: str) -> None:
    """C3: versions grow by one, authorised, and the head commits to every earlier one."""
    for number in (2, 3):
        before = world.head(dataset)
        message = world.revision(dataset, sources=[{"datasetId": dataset, "version": 1}], uri=CHINESE)
        receipt = world.act_as(by, "Revision", message)
        assert world.version(dataset) == number
        assert world.head(dataset) == revised_head(before, message)
        assert world.registry.events.Revised().process_log(receipt["logs"][0])["args"] == {
            "datasetId": dataset,
            "version": number,
            **{name: message[name] for name in ("contentRoot", "metadataHash", "uri", "sources")},
        }


@pytest.mark.parametrize("by", ["owner", "operator", "signature"])
def test_a_transfer_moves_title_and_head(world: World, dataset: int, by: str) -> None:
    """C2: the owner changes because the owner, as sender, operator or signer, said so."""
    before = world.head(dataset)
    world.act_as(by, "TitleTransfer", world.title_transfer(dataset))
    assert world.owner_of(dataset) == world.other.address
    assert world.head(dataset) == transferred_head(before, world.owner.address, world.other.address)
    assert world.version(dataset) == 1


@pytest.mark.parametrize("by", ["owner", "operator", "signature"])
def test_a_withdrawal_is_for_good_and_deletes_nothing(world: World, dataset: int, by: str) -> None:
    """C15: the head continues from the previous one; title, version and history stay."""
    before = world.head(dataset)
    receipt = world.act_as(by, "Withdrawal", world.withdrawal(dataset, reason=CHINESE))
    assert world.head(dataset) == withdrawn_head(before, CHINESE)
    assert world.registry.functions.isWithdrawn(dataset).call()
    assert world.version(dataset) == 1
    assert world.owner_of(dataset) == world.owner.address
    assert world.registry.events.Withdrawn().process_log(receipt["logs"][0])["args"] == {
        "datasetId": dataset,
        "reason": CHINESE,
    }
    for kind, message in (("Revision", world.revision(dataset)), ("Withdrawal", world.withdrawal(dataset))):
        assert world.refusal(world.call(kind, message), world.owner) == Refusal("DatasetWithdrawn", (dataset,))
    derived = world.register(sources=[{"datasetId": dataset, "version": 1}])
    assert world.version(derived) == 1


def test_a_withdrawn_dataset_keeps_a_title_that_can_pass_on(world: World, dataset: int) -> None:
    world.act("Withdrawal", world.withdrawal(dataset))
    before = world.head(dataset)
    world.act("TitleTransfer", world.title_transfer(dataset))
    assert world.owner_of(dataset) == world.other.address
    assert world.head(dataset) == transferred_head(before, world.owner.address, world.other.address)
    assert world.registry.functions.isWithdrawn(dataset).call()


def test_too_long_a_reason_is_refused(world: World, dataset: int) -> None:
    message = world.withdrawal(dataset, reason="x" * 513)
    assert world.refusal(world.call("Withdrawal", message), world.owner) == Refusal("StringTooLong", (513, 512))


def test_a_transfer_to_nobody_is_refused(world: World, dataset: int) -> None:
    message = world.title_transfer(dataset, ZERO_ADDRESS)
    assert world.refusal(world.call("TitleTransfer", message), world.owner) == Refusal(
        "ERC721InvalidReceiver", (ZERO_ADDRESS,)
    )


@pytest.mark.parametrize("kind", ["Revision", "TitleTransfer", "Withdrawal"])
def test_a_message_that_follows_another_head_is_refused(world: World, dataset: int, kind: str) -> None:
    make = {"Revision": world.revision, "TitleTransfer": world.title_transfer, "Withdrawal": world.withdrawal}[kind]
    stale = make(dataset)
    world.act("Revision", world.revision(dataset))
    assert world.refusal(world.call(kind, stale), world.owner) == Refusal(
        "HeadMismatch", (dataset, world.head(dataset), stale["head"])
    )
    unknown = make(dataset) | {"datasetId": 5}
    assert world.refusal(world.call(kind, unknown), world.owner) == Refusal("DatasetUnknown", (5,))


@pytest.mark.parametrize("kind", ["Revision", "TitleTransfer", "Withdrawal"])
def test_a_stranger_or_a_former_owner_changes_nothing(world: World, dataset: int, kind: str) -> None:
    """C2, C3 and C6: an unauthorised call fails and leaves everything as it was."""
    make = {"Revision": world.revision, "TitleTransfer": world.title_transfer, "Withdrawal": world.withdrawal}[kind]
    world.act("TitleTransfer", world.title_transfer(dataset))
    head = world.head(dataset)
    message = make(dataset)
    for sender in (world.stranger, world.owner):
        assert world.refusal(world.call(kind, message), sender) == Refusal(
            "NotAuthorised", (world.other.address, sender.address)
        )
        call = world.call(kind, message, world.sign(sender, kind, message))
        assert world.refusal(call, sender) == Refusal(
            "SignatureNotBySigner", (world.other.address, world.digest(kind, message))
        )
    assert world.head(dataset) == head
    assert world.owner_of(dataset) == world.other.address
