"""Titles are ERC-721 tokens, by the standard's own words, and every way in which one passes on enters the head.

Source: EIP-721 and EIP-165; the errors are those of ERC-6093.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3.contract.contract import ContractFunction

from .heads import transferred_head
from .world import ZERO_ADDRESS, Refusal, World

RECEIVED = keccak(text="onERC721Received(address,address,uint256,bytes)")[:4]
UNKNOWN = 12345

Wallets = Mapping[str, Mapping[str, Any]]


def transfer_from(world: World, sender: LocalAccount, to: str, dataset: int) -> ContractFunction:
    return world.registry.functions.transferFrom(sender.address, to, dataset)


def safe_transfer_from(world: World, sender: LocalAccount, to: str, dataset: int, data: bytes) -> ContractFunction:
    name = "safeTransferFrom(address,address,uint256,bytes)"
    call: ContractFunction = world.registry.get_function_by_signature(name)(sender.address, to, dataset, data)
    return call


@pytest.mark.parametrize(
    ("interface", "supported"),
    [
        ("0x01ffc9a7", True),  # ERC-165
        ("0x80ac58cd", True),  # ERC-721
        ("0x5b5e139f", True),  # its metadata extension
        ("0x780e9d63", False),  # its enumeration extension
        ("0xffffffff", False),
    ],
)
def test_the_interfaces_are_declared(world: World, interface: str, supported: bool) -> None:
    assert world.registry.functions.supportsInterface(interface).call() is supported


def test_the_collection_has_a_name_and_no_uri_of_its_own(world: World, dataset: int) -> None:
    assert world.registry.functions.name().call() == "Trusted Data Registry"
    assert world.registry.functions.symbol().call() == "DATASET"
    assert world.registry.functions.tokenURI(dataset).call() == ""


def test_balances_count_titles(world: World, dataset: int) -> None:
    world.register()
    world.send(transfer_from(world, world.owner, world.other.address, dataset), world.owner)
    balance_of = world.registry.functions.balanceOf
    assert balance_of(world.owner.address).call() == 1
    assert balance_of(world.other.address).call() == 1
    assert balance_of(world.stranger.address).call() == 0
    assert world.refusal(balance_of(ZERO_ADDRESS), world.owner) == Refusal("ERC721InvalidOwner", (ZERO_ADDRESS,))


@pytest.mark.parametrize("name", ["ownerOf", "getApproved", "tokenURI"])
def test_views_of_an_unknown_title_are_refused(world: World, name: str) -> None:
    assert world.refusal(world.registry.functions[name](UNKNOWN), world.owner) == Refusal(
        "ERC721NonexistentToken", (UNKNOWN,)
    )


@pytest.mark.parametrize("by", ["owner", "approved", "operator"])
@pytest.mark.parametrize("safe", [False, True])
def test_a_transfer_by_the_standard_moves_the_head(world: World, dataset: int, by: str, safe: bool) -> None:
    """C2: authorised by the owner as sender, by approval, or through an operator."""
    sender = {"owner": world.owner, "approved": world.stranger, "operator": world.operator}[by]
    if by == "approved":
        world.send(world.registry.functions.approve(sender.address, dataset), world.owner)
        assert world.registry.functions.getApproved(dataset).call() == sender.address
    if by == "operator":
        world.send(world.registry.functions.setApprovalForAll(sender.address, True), world.owner)
        assert world.registry.functions.isApprovedForAll(world.owner.address, sender.address).call()
    before = world.head(dataset)
    to = world.other.address
    call = (
        safe_transfer_from(world, world.owner, to, dataset, b"")
        if safe
        else transfer_from(world, world.owner, to, dataset)
    )
    (log,) = world.send(call, sender)["logs"]
    assert world.registry.events.Transfer().process_log(log)["args"] == {
        "from": world.owner.address,
        "to": to,
        "tokenId": dataset,
    }
    assert world.owner_of(dataset) == to
    assert world.head(dataset) == transferred_head(before, world.owner.address, to)
    assert world.registry.functions.getApproved(dataset).call() == ZERO_ADDRESS


def test_a_transfer_to_oneself_moves_the_head_too(world: World, dataset: int) -> None:
    before = world.head(dataset)
    world.send(transfer_from(world, world.owner, world.owner.address, dataset), world.owner)
    assert world.owner_of(dataset) == world.owner.address
    assert world.head(dataset) == transferred_head(before, world.owner.address, world.owner.address)
    assert world.registry.functions.balanceOf(world.owner.address).call() == 1


def test_transfers_that_the_standard_forbids_change_nothing(world: World, dataset: int) -> None:
    """C2 and C6."""
    head = world.head(dataset)
    owner, other, stranger = world.owner, world.other, world.stranger
    forbidden = [
        (transfer_from(world, owner, other.address, dataset), stranger, "ERC721InsufficientApproval"),
        (transfer_from(world, other, stranger.address, dataset), owner, "ERC721IncorrectOwner"),
        (transfer_from(world, owner, ZERO_ADDRESS, dataset), owner, "ERC721InvalidReceiver"),
        (transfer_from(world, owner, other.address, UNKNOWN), owner, "ERC721NonexistentToken"),
        (world.registry.functions.approve(other.address, dataset), stranger, "ERC721InvalidApprover"),
        (world.registry.functions.setApprovalForAll(ZERO_ADDRESS, True), owner, "ERC721InvalidOperator"),
    ]
    for call, sender, refused in forbidden:
        assert world.refusal(call, sender).name == refused
    assert world.head(dataset) == head
    assert world.owner_of(dataset) == owner.address


def test_an_approval_ends_with_the_transfer(world: World, dataset: int) -> None:
    world.send(world.registry.functions.approve(world.stranger.address, dataset), world.owner)
    world.act("TitleTransfer", world.title_transfer(dataset))
    call = transfer_from(world, world.other, world.stranger.address, dataset)
    assert world.refusal(call, world.stranger).name == "ERC721InsufficientApproval"


def test_an_approval_or_its_end_leaves_the_head_and_signed_messages_alone(world: World, dataset: int) -> None:
    head = world.head(dataset)
    world.send(world.registry.functions.approve(world.stranger.address, dataset), world.owner)
    world.send(world.registry.functions.setApprovalForAll(world.operator.address, True), world.owner)
    assert world.head(dataset) == head


def test_an_operator_whose_approval_ended_can_do_nothing(world: World, dataset: int) -> None:
    approve = world.registry.functions.setApprovalForAll
    world.send(approve(world.operator.address, True), world.owner)
    world.send(approve(world.operator.address, False), world.owner)
    for kind, message in (
        ("Revision", world.revision(dataset)),
        ("TitleTransfer", world.title_transfer(dataset)),
        ("Withdrawal", world.withdrawal(dataset)),
        ("AccessGrant", world.grant(dataset)),
    ):
        assert world.refusal(world.call(kind, message), world.operator) == Refusal(
            "NotAuthorised", (world.owner.address, world.operator.address)
        )


def test_a_safe_transfer_calls_the_receiver_back_with_the_data(world: World, wallets: Wallets, dataset: int) -> None:
    receiver = world.deploy(wallets["Receiver"], RECEIVED)
    world.send(safe_transfer_from(world, world.owner, receiver.address, dataset, b"for you"), world.owner)
    assert world.owner_of(dataset) == receiver.address
    assert receiver.functions.lastOperator().call() == world.owner.address
    assert receiver.functions.lastFrom().call() == world.owner.address
    assert receiver.functions.lastId().call() == dataset
    assert receiver.functions.lastData().call() == b"for you"


def test_a_safe_transfer_to_a_contract_that_does_not_take_titles_is_refused(
    world: World, wallets: Wallets, dataset: int
) -> None:
    for receiver in (world.deploy(wallets["Receiver"], b"\0\0\0\0"), world.grants):
        call = safe_transfer_from(world, world.owner, receiver.address, dataset, b"")
        assert world.refusal(call, world.owner) == Refusal("ERC721InvalidReceiver", (receiver.address,))


def test_registering_and_the_signed_transfer_call_nobody_back(world: World, wallets: Wallets, dataset: int) -> None:
    receiver = world.deploy(wallets["Receiver"], b"\0\0\0\0")
    world.act("TitleTransfer", world.title_transfer(dataset, receiver.address))
    assert world.owner_of(dataset) == receiver.address
    assert receiver.functions.lastId().call() == 0
