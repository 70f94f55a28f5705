"""Transactions against eth-account, fees against EIP-1559 as py-evm has it, and the words of nodes."""

from __future__ import annotations

import pytest
from eth._utils.address import generate_contract_address
from eth_account import Account
from eth_typing import Address as EthAddress
from hypothesis import given
from hypothesis import strategies as st

from registry.base.errors import InvalidInput
from registry.base.primitives import Address
from registry.chain.client import RpcError
from registry.relay.fees import Fees, next_base_fee, outbid
from registry.relay.rejections import Rejection, classify
from registry.relay.signing import Payload, Signer, created_address, payload_of

KEYS = st.integers(1, 2**256 - 2**129).map(lambda number: number.to_bytes(32, "big"))


@given(
    key=KEYS,
    chain_id=st.integers(1, 2**53),
    nonce=st.integers(0, 2**40),
    maximum=st.integers(0, 2**62),
    priority=st.integers(0, 2**62),
    gas=st.integers(21_000, 2**24),
    to=st.none() | st.binary(min_size=20, max_size=20),
    data=st.binary(max_size=300),
)
def test_transactions_are_those_that_eth_account_signs(
    key: bytes, chain_id: int, nonce: int, maximum: int, priority: int, gas: int, to: bytes | None, data: bytes
) -> None:
    payload = Payload(None if to is None else Address(to), data, gas)
    signed = Signer(key).sign(chain_id, nonce, Fees(maximum, priority), payload)
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "maxFeePerGas": maximum,
        "maxPriorityFeePerGas": priority,
        "gas": gas,
        "value": 0,
        "data": data,
    } | ({} if to is None else {"to": str(Address(to))})
    oracle = Account.from_key(key).sign_transaction(fields)
    assert signed.raw == bytes(oracle.raw_transaction)
    assert signed.hash == bytes(oracle.hash)
    assert Signer(key).address == Address.parse(Account.from_key(key).address)
    assert payload_of(signed.raw) == payload


@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 255, 256, 2**32])
def test_created_addresses_are_those_that_py_evm_gives(nonce: int) -> None:
    sender = Address(b"\x5a" * 20)
    assert created_address(sender, nonce) == generate_contract_address(EthAddress(bytes(sender)), nonce)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(32), b"\xff" * 32])
def test_no_signer_is_made_of_what_is_no_key(secret: bytes) -> None:
    with pytest.raises(InvalidInput):
        Signer(secret)


def test_a_signer_does_not_show_its_key() -> None:
    """R10: no key in logs or errors."""
    secret = b"\x17" * 32
    signer = Signer(secret)
    assert secret.hex() not in repr(signer) + str(vars(signer))


@given(maximum=st.integers(0, 2**60), priority=st.integers(0, 2**60), wanted=st.integers(0, 2**60))
def test_an_offer_that_outbids_pays_a_tenth_more_of_both_fees(maximum: int, priority: int, wanted: int) -> None:
    better = outbid(Fees(maximum, priority), Fees(wanted, wanted))
    assert 10 * better.maximum >= 11 * maximum
    assert better.maximum > maximum
    assert 10 * better.priority >= 11 * priority
    assert better.priority > priority
    assert better.maximum >= wanted


@pytest.mark.parametrize(
    ("used", "expected"),
    [(15_000_000, 1_000_000_000), (30_000_000, 1_125_000_000), (0, 875_000_000), (15_000_001, 1_000_000_008)],
)
def test_base_fees_follow_eip_1559(used: int, expected: int) -> None:
    assert next_base_fee(10**9, used, 30_000_000) == expected


def test_a_base_fee_of_a_few_wei_still_rises() -> None:
    assert next_base_fee(1, 30_000_000, 30_000_000) == 2


@pytest.mark.parametrize(
    ("message", "rejection"),
    [
        ("already known", Rejection.KNOWN),
        ("Known transaction", Rejection.KNOWN),
        ("transaction already imported", Rejection.KNOWN),
        ("nonce too low: next nonce 5, tx nonce 4", Rejection.KNOWN),
        ("replacement transaction underpriced", Rejection.UNDERPRICED),
        ("max fee per gas less than block base fee: address 0x00", Rejection.UNDERPRICED),
        ("transaction gas limit exceeds block gas limit", Rejection.PERMANENT),
        ("exceeds block gas limit", Rejection.PERMANENT),
        ("intrinsic gas too low", Rejection.PERMANENT),
        ("insufficient funds for gas * price + value: balance 0, tx cost 7, overshot 7", Rejection.UNFUNDED),
        ("Upfront cost exceeds account balance", Rejection.UNFUNDED),
        ("txpool is full", Rejection.TEMPORARY),
        ("something new", Rejection.TEMPORARY),
    ],
)
def test_what_nodes_say_is_understood(message: str, rejection: Rejection) -> None:
    assert classify(RpcError(-32000, message)) is rejection
