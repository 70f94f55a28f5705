"""Send transactions on a chain, and report their gas by purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import TxReceipt

GAS_LIMIT = 10_000_000
INTRINSIC = 21_000
COLD_ACCOUNT = 2_600
COLD_SLOT = 2_100
ACCOUNT_OPS = ("EXTCODESIZE", "EXTCODEHASH", "EXTCODECOPY", "BALANCE", "CALL", "STATICCALL", "DELEGATECALL")
PRECOMPILES = 0xFF


@dataclass(frozen=True, slots=True)
class Spent:
    """The gas of a transaction by purpose; the parts sum to `total`."""

    total: int
    calldata: int
    cold_accounts: int
    cold_slots: int
    stores: int
    logs: int
    intrinsic: int = INTRINSIC

    @property
    def execution(self) -> int:
        """The rest: instructions, memory, hashing and precompiles, less refunds."""
        parts = (self.intrinsic, self.calldata, self.cold_accounts, self.cold_slots, self.stores, self.logs)
        return self.total - sum(parts)


def deploy(w3: Web3, artifact: Mapping[str, Any], *arguments: object) -> Contract:
    """Deploy a compiled contract (`abi` and `bytecode`) from the first account."""
    factory = w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    sent = factory.constructor(*arguments).transact({"from": w3.eth.accounts[0]})
    return factory(w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)["contractAddress"])


def send(call: ContractFunction, sender: ChecksumAddress) -> TxReceipt:
    """Send a call from an unlocked account.

    Raises:
        RuntimeError: It failed.
    """
    w3 = call.w3
    receipt = w3.eth.wait_for_transaction_receipt(call.transact({"from": sender, "gas": GAS_LIMIT}), poll_latency=0.01)
    if receipt["status"] != 1:
        raise RuntimeError(f"{call.fn_name} failed.")
    return receipt


def spent(w3: Web3, receipt: TxReceipt) -> Spent:
    """Return the gas of a transaction by purpose, from its trace.

    The node must offer debug_traceTransaction, as `anvil --steps-tracing` does.
    """
    transaction = w3.eth.get_transaction(receipt["transactionHash"])
    answer = w3.manager.request_blocking(
        "debug_traceTransaction",  # type: ignore[arg-type]
        [receipt["transactionHash"].to_0x_hex(), {}],
    )
    steps = answer["structLogs"]
    touched = {int(str(transaction["to"]), 16), int(transaction["from"], 16)}
    accounts = slots = stores = logs = 0
    for step in steps:
        op, cost = step["op"], int(step["gasCost"])
        if op in ACCOUNT_OPS:
            address = int(step["stack"][-2 if op.endswith("CALL") else -1], 16) & (1 << 160) - 1
            accounts += COLD_ACCOUNT if address not in touched and address > PRECOMPILES else 0
            touched.add(address)
        elif op == "SLOAD" and cost == COLD_SLOT:
            slots += cost
        elif op == "SSTORE":
            stores += cost
        elif op.startswith("LOG"):
            logs += cost
    data = bytes(transaction["input"])
    calldata = 16 * len(data) - 12 * data.count(0)
    return Spent(int(receipt["gasUsed"]), calldata, accounts, slots, stores, logs)
