"""Check which transactions the embedded chain accepts. The errors use geth's texts, which clients recognise."""

from __future__ import annotations

from eth.abc import SignedTransactionAPI
from eth.constants import SECPK1_N
from eth.rlp.accounts import Account

from registry.chain.client import SERVER_ERROR, RpcError
from registry.devchain.evm import TRANSACTION_GAS_LIMIT, floor_gas

MAX_TRANSACTION_BYTES = 131_072
MAX_INITCODE_BYTES = 49_152  # EIP-3860


def refuse_oversized(raw: bytes) -> None:
    """Check the size of a transaction before it is decoded.

    Args:
        raw: The signed transaction.

    Raises:
        RpcError: It is too large.
    """
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise _refusal(f"oversized data: transaction size {len(raw)}, limit {MAX_TRANSACTION_BYTES}")


def refuse_invalid(transaction: SignedTransactionAPI, chain_id: int) -> None:
    """Check a transaction for faults that no state of the chain can mend.

    Args:
        transaction: The signed transaction.
        chain_id: The chain's id.

    Raises:
        RpcError: It is for another chain, malleable, or its gas or fees are out of range.
    """
    if transaction.chain_id is None:
        raise _refusal("only replay-protected (EIP-155) transactions allowed over RPC")
    if transaction.chain_id != chain_id:
        raise _refusal(
            f"invalid sender: invalid chain id for signer: have {transaction.chain_id} want {chain_id}",
        )
    if transaction.s > SECPK1_N // 2:
        raise _refusal("invalid sender: invalid transaction v, r, s values")
    if transaction.gas > TRANSACTION_GAS_LIMIT:
        raise _refusal(f"transaction gas limit too high (cap: {TRANSACTION_GAS_LIMIT}, tx: {transaction.gas})")
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise _refusal("max priority fee per gas higher than max fee per gas")
    if not transaction.to and len(transaction.data) > MAX_INITCODE_BYTES:
        raise _refusal(f"max initcode size exceeded: code size {len(transaction.data)}, limit {MAX_INITCODE_BYTES}")
    needed = max(transaction.intrinsic_gas, floor_gas(transaction.data))
    if transaction.gas < needed:
        raise _refusal(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {needed}")


def refuse_unaffordable(transaction: SignedTransactionAPI, account: Account) -> None:
    """Check a transaction against the current state of its sender.

    Args:
        transaction: The signed transaction.
        account: The sender's account.

    Raises:
        RpcError: Its nonce has been used, or it may cost more than the account's balance.
    """
    if transaction.nonce < account.nonce:
        raise _refusal(f"nonce too low: next nonce {account.nonce}, tx nonce {transaction.nonce}")
    cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
    if account.balance < cost:
        raise _refusal(
            f"insufficient funds for gas * price + value: balance {account.balance}, tx cost {cost}, "
            f"overshot {cost - account.balance}"
        )


def _refusal(message: str) -> RpcError:
    return RpcError(SERVER_ERROR, message)
