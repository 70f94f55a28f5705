"""Block building: effects of one transaction on the others."""

from __future__ import annotations

from typing import Any

from eth.abc import SignedTransactionAPI
from eth_account import Account
from eth_utils.crypto import keccak

from registry.devchain import evm
from registry.devchain.store import DevBlock
from tests.chain.contracts import RETURNS_TIME, init_code
from tests.chain.wallet import RELAYER, RELAYER_KEY

CHAIN_ID = 0x74640001
RICH = Account.from_key(RELAYER_KEY)
OTHER = Account.from_key("0x" + "42" * 32)


def signed(account: Any, nonce: int, **fields: Any) -> SignedTransactionAPI:
    fees = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
    transaction = {"type": 2, "chainId": CHAIN_ID, "nonce": nonce, "gas": 200_000, "value": 0} | fees | fields
    return evm.decode_transaction(bytes(account.sign_transaction(transaction).raw_transaction))


def build(parent: DevBlock, nodes: dict[bytes, bytes], transactions: list[SignedTransactionAPI]) -> evm.Draft:
    return evm.build_block(
        parent,
        parent.header.timestamp + 1,
        transactions,
        chain_id=CHAIN_ID,
        read=nodes.__getitem__,
        ancestors=lambda: iter(()),
    )


def test_equal_genesis_for_equal_arguments() -> None:
    first, second = (evm.make_genesis(CHAIN_ID, bytes(RELAYER), 1_800_000_000) for _ in range(2))
    assert first.block.hash == second.block.hash
    assert first.block.hash != evm.make_genesis(CHAIN_ID + 1, bytes(RELAYER), 1_800_000_000).block.hash


def test_transaction_on_which_the_evm_breaks_is_left_out_and_its_successors_wait() -> None:
    genesis = evm.make_genesis(CHAIN_ID, bytes(RELAYER), 1_800_000_000)
    nodes = dict(genesis.nodes)
    deployed = build(
        genesis.block,
        nodes,
        [
            signed(RICH, 0, data=init_code(RETURNS_TIME)),
            signed(RICH, 1, to=OTHER.address, value=10**18),
        ],
    )
    nodes |= deployed.nodes
    contract = keccak(b"\xd6\x94" + bytes(RELAYER) + b"\x80")[12:]

    class Breaking(dict[bytes, bytes]):
        """The nodes, of which the contract's code makes the interpreter fail as if it had a bug."""

        def __getitem__(self, key: bytes) -> bytes:
            if key == keccak(RETURNS_TIME):
                raise ZeroDivisionError
            return super().__getitem__(key)

    broken = signed(RICH, 2, to=contract)
    after = signed(RICH, 3, to=OTHER.address, value=1)
    others = signed(OTHER, 0, to=RICH.address, value=1)
    draft = build(deployed.block, Breaking(nodes), [broken, after, others])
    assert list(draft.refused) == [broken.hash]
    assert "ZeroDivisionError" in draft.refused[broken.hash]
    assert draft.block.transactions == (others.encode(),)
