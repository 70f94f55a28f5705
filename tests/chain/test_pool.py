"""Pending transactions and their order."""

from __future__ import annotations

from typing import Any

import pytest
from eth.abc import SignedTransactionAPI
from eth_account import Account

from registry.chain.client import RpcError
from registry.devchain import pool as pool_module
from registry.devchain.evm import decode_transaction
from registry.devchain.pool import Pool

ALICE = Account.from_key("0x" + "a1" * 32)
BOB = Account.from_key("0x" + "b0" * 32)


def signed(account: Any, nonce: int, fee: int = 100, tip: int = 10) -> tuple[SignedTransactionAPI, bytes]:
    fields = {"type": 2, "chainId": 1, "nonce": nonce, "gas": 21_000, "to": bytes(20), "value": 0}
    raw = bytes(account.sign_transaction(fields | {"maxFeePerGas": fee, "maxPriorityFeePerGas": tip}).raw_transaction)
    return decode_transaction(raw), raw


def order(pool: Pool, base_fee: int = 0, reached: int = 0) -> list[tuple[bytes, int]]:
    return [(transaction.sender, transaction.nonce) for transaction in pool.executable(lambda _: reached, base_fee)]


def sender(account: Any) -> bytes:
    return bytes.fromhex(account.address[2:])


def test_order_is_that_of_arrival_and_of_nonces_within_an_account() -> None:
    pool = Pool()
    for account, nonce in ((ALICE, 1), (BOB, 0), (ALICE, 0), (BOB, 1), (ALICE, 3)):
        pool.add(*signed(account, nonce))
    alice, bob = sender(ALICE), sender(BOB)
    assert order(pool) == [(bob, 0), (alice, 0), (alice, 1), (bob, 1)]
    assert pool.next_nonce(alice, 0) == 2
    assert pool.next_nonce(bob, 0) == 2


def test_what_offers_less_than_the_base_fee_waits_with_all_that_follows_it() -> None:
    pool = Pool()
    pool.add(*signed(ALICE, 0, fee=50))
    pool.add(*signed(ALICE, 1, fee=100))
    pool.add(*signed(BOB, 0, fee=51))
    assert order(pool, base_fee=51) == [(sender(BOB), 0)]
    assert len(order(pool, base_fee=50)) == 3


@pytest.mark.parametrize(("fee", "tip", "replaces"), [(110, 11, True), (109, 11, False), (110, 10, False)])
def test_replacement_needs_a_tenth_more_of_both_fees(fee: int, tip: int, replaces: bool) -> None:
    pool = Pool()
    old, new = signed(ALICE, 0, 100, 10), signed(ALICE, 0, fee, tip)
    pool.add(*old)
    if replaces:
        pool.add(*new)
        assert pool.get(old[0].hash) is None
    else:
        with pytest.raises(RpcError, match="underpriced"):
            pool.add(*new)
        assert pool.get(new[0].hash) is None
    assert len(pool) == 1


def test_passed_nonces_leave_and_later_ones_stay() -> None:
    pool = Pool()
    for nonce in range(4):
        pool.add(*signed(ALICE, nonce))
    pool.settle([sender(ALICE), sender(BOB)], lambda _: 3)
    assert order(pool, reached=3) == [(sender(ALICE), 3)]
    pool.drop([signed(ALICE, 3)[0].hash, bytes(32)])
    assert len(pool) == 0


def test_full_pool_refuses_new_ones_but_takes_replacements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MAX_TRANSACTIONS", 2)
    pool = Pool()
    pool.add(*signed(ALICE, 0))
    pool.add(*signed(ALICE, 1))
    for account, nonce in ((ALICE, 2), (BOB, 0)):
        with pytest.raises(RpcError, match="full"):
            pool.add(*signed(account, nonce))
    pool.add(*signed(ALICE, 1, 200, 20))
    assert order(pool) == [(sender(ALICE), 0), (sender(ALICE), 1)]
