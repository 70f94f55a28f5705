"""Valid signatures: by whom, in which form, until when, and exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from .heads import dataset_id
from .world import ENTRY_POINTS, Refusal, World, artifact

KINDS = tuple(ENTRY_POINTS)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

Wallets = Mapping[str, Mapping[str, Any]]


def message_of(world: World, kind: str, dataset: int) -> dict[str, Any]:
    """A message of the kind that the contracts would accept now."""
    makers: dict[str, Callable[..., dict[str, Any]]] = {
        "Registration": lambda _: world.registration(),
        "Revision": world.revision,
        "TitleTransfer": world.title_transfer,
        "Withdrawal": world.withdrawal,
        "AccessRequest": world.request,
        "AccessGrant": world.grant,
        "AccessRevocation": world.revocation,
    }
    if kind == "AccessRevocation" and world.counters(dataset, world.third.address)[0] == 0:
        world.act("AccessGrant", world.grant(dataset))
    return makers[kind](dataset)


def signer_of(world: World, kind: str) -> LocalAccount:
    return world.third if kind == "AccessRequest" else world.owner


def state(world: World, dataset: int) -> tuple[object, ...]:
    """All that a message about the dataset could change."""
    grantee = world.third.address
    return (
        world.head(dataset),
        world.owner_of(dataset),
        world.counters(dataset, grantee),
        world.access(dataset, grantee, world.now),
        world.registry.functions.balanceOf(world.owner.address).call(),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_message_has_its_effect_once(world: World, dataset: int, kind: str) -> None:
    """C5: the state it names is gone after it."""
    message = message_of(world, kind, dataset)
    call = world.call(kind, message, world.sign(signer_of(world, kind), kind, message))
    world.send(call, world.relayer)
    after = state(world, dataset)
    assert world.refusal(call, world.relayer).name in (
        "DatasetExists",
        "HeadMismatch",
        "EpochMismatch",
        "RequestsMismatch",
    )
    assert state(world, dataset) == after


@pytest.mark.parametrize("signed_for", KINDS)
def test_a_signature_for_one_action_counts_for_no_other(world: World, dataset: int, signed_for: str) -> None:
    """C5: on one action. All pairs of the seven messages."""
    world.act("AccessGrant", world.grant(dataset))
    message = message_of(world, signed_for, dataset)
    signature = world.sign(signer_of(world, signed_for), signed_for, message)
    for kind in set(KINDS) - {signed_for}:
        other = message_of(world, kind, dataset)
        other |= {name: message[name] for name in other.keys() & message.keys() - {"epoch", "requests", "grantee"}}
        before = state(world, dataset)
        refusal = world.refusal(world.call(kind, other, signature), world.relayer)
        assert refusal.name == "SignatureNotBySigner", kind
        assert state(world, dataset) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_for_another_chain_does_not_count(world: World, dataset: int, kind: str) -> None:
    """C5: on one chain id."""
    message = message_of(world, kind, dataset)
    signature = world.sign(signer_of(world, kind), kind, message, chain_id=world.chain_id + 1)
    before = state(world, dataset)
    assert world.refusal(world.call(kind, message, signature), world.relayer).name == "SignatureNotBySigner"
    assert state(world, dataset) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_for_another_contract_does_not_count(world: World, dataset: int, kind: str) -> None:
    """C5: on one contract, be it a second deployment of the same code."""
    twin_registry = world.deploy(artifact("DatasetRegistry"))
    twin_grants = world.deploy(artifact("AccessGrants"), world.registry.address)
    message = message_of(world, kind, dataset)
    twin = twin_grants if kind.startswith("Access") else twin_registry
    signature = world.sign(signer_of(world, kind), kind, message, contract=twin.address)
    before = state(world, dataset)
    assert world.refusal(world.call(kind, message, signature), world.relayer).name == "SignatureNotBySigner"
    assert state(world, dataset) == before


@pytest.mark.parametrize("kind", KINDS)
def test_any_changed_field_voids_the_signature(world: World, dataset: int, kind: str) -> None:
    """C5: the signature covers every field. (Fields that name the state or the signer have their own refusals.)"""
    message = message_of(world, kind, dataset)
    signature = world.sign(signer_of(world, kind), kind, message)
    for name, value in message.items():
        changed = message | {name: _changed(world, dataset, value)}
        refusal = world.refusal(world.call(kind, changed, signature), world.relayer)
        expected = {
            "datasetId": {"DatasetUnknown", "EpochMismatch", "SignatureNotBySigner"},
            "head": {"HeadMismatch"},
            "epoch": {"EpochMismatch"},
            "requests": {"RequestsMismatch"},
            "grantee": {"SignatureNotBySigner", "EpochMismatch", "NothingToRevoke"},
        }.get(name, {"SignatureNotBySigner"})
        assert refusal.name in expected, name


def _changed(world: World, dataset: int, value: object) -> object:
    match value:
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case list():
            return [{"datasetId": dataset, "version": 1}]
        case str() if value.startswith("0x"):
            return world.stranger.address
        case str():
            return value + "."
        case int():
            return value + 1
    raise TypeError(value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_counts_in_the_second_of_its_deadline_and_not_after(world: World, dataset: int, kind: str) -> None:
    """C7: after its deadline a message has no effect."""
    message = message_of(world, kind, dataset)
    deadline = world.now + 50
    message["deadline"] = deadline
    for signature in (b"", world.sign(signer_of(world, kind), kind, message)):
        call = world.call(kind, message, signature)
        snapshot = world.tester.take_snapshot()
        world.travel(deadline + 1)
        world.tester.mine_block()  # a call is made at the latest block's time
        before = state(world, dataset)[:3]
        refusal = world.refusal(call, signer_of(world, kind))
        assert refusal.name == "DeadlinePassed"
        assert refusal.values[0] == deadline
        assert state(world, dataset)[:3] == before
        world.tester.revert_to_snapshot(snapshot)
        snapshot = world.tester.take_snapshot()
        world.travel(deadline)
        receipt = world.send(call, signer_of(world, kind))
        assert world.w3.eth.get_block(receipt["blockNumber"])["timestamp"] == deadline
        world.tester.revert_to_snapshot(snapshot)


@pytest.mark.parametrize("deadline", [0, 2**64 - 1])
def test_the_extremes_of_a_deadline_hold(world: World, deadline: int) -> None:
    call = world.call("Registration", world.registration(deadline=deadline))
    if deadline:
        world.send(call, world.owner)
    else:
        assert world.refusal(call, world.owner).name == "DeadlinePassed"


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "high s": lambda s: s[:32] + (CURVE_ORDER - int.from_bytes(s[32:64])).to_bytes(32) + bytes([55 - s[64]]),
    "64 bytes (EIP-2098)": lambda s: s[:32] + (int.from_bytes(s[32:64]) | (s[64] - 27) << 255).to_bytes(32),
    "v of 0 or 1": lambda s: s[:64] + bytes([s[64] - 27]),
    "the other v": lambda s: s[:64] + bytes([55 - s[64]]),
    "v of EIP-155": lambda s: s[:64] + bytes([s[64] + 10]),
    "zeros": lambda s: bytes(65),
    "one byte": lambda s: b"\x00",
    "one byte more": lambda s: s + b"\x00",
    "one byte less": lambda s: s[:-1],
    "r of zero": lambda s: bytes(32) + s[32:],
    "s of zero": lambda s: s[:32] + bytes(32) + s[64:],
}


@pytest.mark.parametrize("form", MALFORMED)
@pytest.mark.parametrize("kind", ["Registration", "AccessGrant"])
def test_only_one_form_of_a_signature_counts(world: World, dataset: int, kind: str, form: str) -> None:
    """C5: no second signature can be made of a first."""
    message = message_of(world, kind, dataset)
    signature = world.sign(world.owner, kind, message)
    refused = Refusal("SignatureNotBySigner", (world.owner.address, world.digest(kind, message)))
    assert world.refusal(world.call(kind, message, MALFORMED[form](signature)), world.relayer) == refused
    world.send(world.call(kind, message, signature), world.relayer)


def test_signatures_for_different_datasets_do_not_block_each_other(world: World) -> None:
    first, second = world.registration(), world.registration()
    signed = [(message, world.sign(world.owner, "Registration", message)) for message in (first, second)]
    for message, signature in reversed(signed):
        world.send(world.call("Registration", message, signature), world.relayer)


def test_changing_the_state_cancels_what_was_signed_before(world: World, dataset: int) -> None:
    sale = world.title_transfer(dataset)
    call = world.call("TitleTransfer", sale, world.sign(world.owner, "TitleTransfer", sale))
    world.act("Revision", world.revision(dataset))
    assert world.refusal(call, world.relayer).name == "HeadMismatch"


# ERC-1271


@pytest.fixture
def wallet(world: World, wallets: Wallets) -> Contract:
    """An organisation's wallet, for which `world.owner`'s key signs."""
    return world.deploy(wallets["OneKeyWallet"], world.owner.address)


def owned_by(world: World, wallet: Contract) -> int:
    """A dataset whose title was passed to a wallet."""
    dataset = world.register(world.third)
    world.act("TitleTransfer", world.title_transfer(dataset, wallet.address), world.third)
    return dataset


def test_a_wallet_contract_does_everything_by_signature(world: World, wallet: Contract) -> None:
    message = world.registration(wallet.address)
    world.relay("Registration", message, world.owner)
    dataset = dataset_id(message)
    assert world.owner_of(dataset) == wallet.address
    world.relay("Revision", world.revision(dataset), world.owner)
    world.relay("AccessGrant", world.grant(dataset), world.owner)
    world.relay("AccessRevocation", world.revocation(dataset), world.owner)
    world.relay("AccessRequest", world.request(dataset, wallet.address), world.owner)
    world.relay("TitleTransfer", world.title_transfer(dataset, world.other.address), world.owner)
    assert world.owner_of(dataset) == world.other.address


def test_a_wallet_contract_acts_by_sending(world: World, wallet: Contract) -> None:
    message = world.registration(wallet.address)
    call = world.call("Registration", message)
    data = world.registry.encode_abi(call.fn_name, call.args)
    world.send(wallet.functions.send(world.registry.address, data), world.owner)
    assert world.owner_of(dataset_id(message)) == wallet.address


def test_a_wallet_contract_refuses_a_signature_by_another_key(world: World, wallet: Contract) -> None:
    message = world.registration(wallet.address)
    call = world.call("Registration", message, world.sign(world.stranger, "Registration", message))
    assert world.refusal(call, world.relayer) == Refusal(
        "SignatureNotBySigner", (wallet.address, world.digest("Registration", message))
    )


@pytest.mark.parametrize("name", ["BurningWallet", "BombWallet", "Receiver"])
def test_a_hostile_wallet_harms_only_its_own_message(world: World, wallets: Wallets, name: str) -> None:
    """C6: a wallet that burns all gas, returns a megabyte or does not know ERC-1271 changes nothing, for no account."""
    arguments = [b"\0\0\0\0"] if name == "Receiver" else []
    hostile = world.deploy(wallets[name], *arguments)
    dataset = owned_by(world, hostile)
    head = world.head(dataset)
    message = world.revision(dataset)
    call = world.call("Revision", message, world.sign(world.owner, "Revision", message))
    assert world.refusal(call, world.relayer).name in ("SignatureNotBySigner", "")
    assert world.head(dataset) == head
    assert world.version(world.register()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x16\x26\xba\x7e",
        bytes(32),
        b"\x01".rjust(32, b"\0"),
        b"\x16\x26\xba\x7e" + b"\x01" * 28,
        b"\x16\x26\xba\x7e".rjust(32, b"\0"),
        b"\xff" * 32,
    ],
    ids=["nothing", "four bytes", "zero", "true", "dirty", "right-aligned", "ones"],
)
def test_an_answer_that_is_not_the_magic_value_does_not_count(world: World, wallets: Wallets, answer: bytes) -> None:
    answering = world.deploy(wallets["AnsweringWallet"], answer)
    dataset = owned_by(world, answering)
    call = world.call("Revision", world.revision(dataset), b"\x01")
    assert world.refusal(call, world.relayer).name == "SignatureNotBySigner"


def test_a_wallet_cannot_act_from_within_its_check(world: World, wallets: Wallets) -> None:
    """C6: it is asked by a static call, in which nothing can change; the message itself then counts, once."""
    reentering = world.deploy(wallets["ReenteringWallet"])
    dataset = owned_by(world, reentering)
    message = world.revision(dataset)
    inner = world.call("Withdrawal", world.withdrawal(dataset), b"\x01")
    data = world.registry.encode_abi(inner.fn_name, inner.args)
    world.send(reentering.functions.arm(data), world.relayer)
    world.send(world.call("Revision", message, b"\x01"), world.relayer)
    assert world.version(dataset) == 2
    assert not world.registry.functions.isWithdrawn(dataset).call()
