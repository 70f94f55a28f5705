"""A statement about a dataset needs the signature of its present owner, a key or a contract."""

from __future__ import annotations

import pytest

from registry.base.errors import ContractRefused
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.ethereum.eip712 import Domain
from registry.rooms.datasets.acceptance import accept
from registry.rooms.datasets.statements import Publication
from tests.relay.test_budgets import ACCOMMODATING, LONG, deploy
from tests.relay.world import LATER, Owner, World

REFUSING = bytes.fromhex("60006000f3")
"""A wallet without an answer: it accepts no signature."""
ENDLESS = bytes.fromhex("5b600056")
"""A wallet that runs until its gas is used up."""
KEY = Owner("a key that may publish")


def publication(dataset_id: DatasetId) -> Publication:
    root = Bytes32(b"\x07" * 32)
    return Publication(dataset_id=dataset_id, version=1, content_root=root, metadata_hash=ZERO_BYTES32, deadline=LATER)


def accepts(world: World, owner: Address, signature: bytes) -> bool:
    """Return whether a publication sent with an owner's registration is accepted."""
    statement = publication(DatasetId(b"\x01" * 32))
    try:
        accepted = accept(world.chain, world.deployment, statement, signature, world.clock(), 1_000, owner)
    except ContractRefused as refused:
        if refused.name != "SignatureNotBySigner":
            raise
        return False
    return accepted.signer == owner


def signed(world: World) -> bytes:
    """A valid signature of the publication, by KEY."""
    statement = publication(DatasetId(b"\x01" * 32))
    domain = Domain(statement.CONTRACT, world.deployment.chain_id, world.deployment.address_of("DatasetRegistry"))
    return KEY.sign_digest(statement.digest(domain))


@pytest.mark.parametrize(("code", "is_accepted"), [(ACCOMMODATING, True), (REFUSING, False), (ENDLESS, False)])
def test_a_contract_that_owns_the_dataset_decides_what_is_its_signature(
    small_world: World, code: bytes, is_accepted: bool
) -> None:
    wallet = deploy(small_world, code)
    assert accepts(small_world, wallet, LONG) is is_accepted
    assert accepts(small_world, wallet, signed(small_world)) is is_accepted


def test_an_account_without_code_has_no_signature_but_its_keys(small_world: World) -> None:
    assert accepts(small_world, KEY.address, signed(small_world))
    assert not accepts(small_world, Owner("another").address, signed(small_world))
    assert not accepts(small_world, KEY.address, LONG)


def test_an_account_that_delegates_to_code_publishes_by_its_key_and_by_that_code(anvil_world: World) -> None:
    """EIP-7702: the holder of the key can change the code, so the key's signature is the account's in any case."""
    world = anvil_world
    for code, by_code in ((REFUSING, False), (ACCOMMODATING, True)):
        wallet = deploy(world, code)
        world.chain.request("anvil_setCode", [str(KEY.address), f"0xef0100{wallet.hex()}"])
        assert accepts(world, KEY.address, signed(world))
        assert accepts(world, KEY.address, LONG) is by_code


def test_nobody_publishes_for_a_dataset_that_does_not_exist(small_world: World) -> None:
    statement = publication(DatasetId(b"\x02" * 32))
    with pytest.raises(ContractRefused) as caught:
        accept(small_world.chain, small_world.deployment, statement, signed(small_world), small_world.clock(), 1_000)
    assert (caught.value.name, caught.value.values) == ("DatasetUnknown", {"datasetId": "0x" + "02" * 32})
