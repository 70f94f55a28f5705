"""A funded account that signs transactions, and waits for them."""

from __future__ import annotations

from typing import Any

from eth_account import Account

from registry.base.primitives import Address
from registry.chain.client import Chain
from tests.fixtures.waiting import eventually

RELAYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""The key that anvil funds by default; publicly known."""

RELAYER = Address.parse(Account.from_key(RELAYER_KEY).address)


class Wallet:
    """Signs for one key on one chain and counts its nonces."""

    def __init__(self, chain: Chain, key: str = RELAYER_KEY) -> None:
        self.chain = chain
        self.account = Account.from_key(key)
        self.chain_id = int(chain.request("eth_chainId"), 16)
        self.nonce = int(chain.request("eth_getTransactionCount", [self.account.address, "pending"]), 16)

    def sign(self, **fields: Any) -> str:
        """A signed transaction of type 2, as 0x-prefixed hex. Fields that are not given have harmless values."""
        transaction = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
            "gas": 21_000,
            "to": "0x2222222222222222222222222222222222222222",
            "value": 0,
        } | fields
        if "gasPrice" in fields:
            for name in ("type", "maxFeePerGas", "maxPriorityFeePerGas"):
                del transaction[name]
        if fields.get("to", "") is None:
            del transaction["to"]
        else:
            transaction["to"] = str(Address.parse(str(transaction["to"])))
        return "0x" + bytes(self.account.sign_transaction(transaction).raw_transaction).hex()

    def send(self, **fields: Any) -> str:
        """Signs and sends; returns the hash."""
        transaction_hash: str = self.chain.request("eth_sendRawTransaction", [self.sign(**fields)])
        if "nonce" not in fields:
            self.nonce += 1
        return transaction_hash

    def receipt(self, transaction_hash: str) -> dict[str, Any]:
        """Waits for the receipt."""
        found: dict[str, Any] = eventually(lambda: self.chain.request("eth_getTransactionReceipt", [transaction_hash]))
        return found
