"""Whose signature a message needs, and whether a signature is theirs, where no contract has said so.

The contracts check a signature last, after the state that the message follows. Where that state has moved on, their
refusal says nothing about the signature, and it is checked here.
"""

from __future__ import annotations

from typing import Final

from registry.base.errors import ContractRefused
from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32, DatasetId
from registry.chain.calls import call_view, data_of, view_call
from registry.chain.client import Chain, RpcError
from registry.ethereum.abi import WORD, dynamic, uint
from registry.ethereum.eip712 import Message
from registry.ethereum.refusals import SHARED
from registry.relay.patience import patient
from registry.rooms.deployment import Deployment
from registry.rooms.protocols import PROTOCOLS

MAGIC: Final = bytes.fromhex("1626ba7e")
"""What `isValidSignature(bytes32,bytes)` returns for yes; its own selector. Source: ERC-1271."""
CHECK_GAS: Final = 300_000


def named_signer(message: Message) -> Address | None:
    """Return the account that has to sign, where the message names it; None where it is the dataset's owner."""
    return PROTOCOLS.named_signer(message)


def owner_of(chain: Chain, deployment: Deployment, dataset_id: DatasetId) -> Address | None:
    """Return the dataset's owner in the newest block; None where there is no such dataset.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    answer = call_view(chain, deployment.address_of("DatasetRegistry"), view_call("titleOf(uint256)", dataset_id))
    owner = Address(answer[WORD - Address.LENGTH : WORD])
    return None if owner == ZERO_ADDRESS else owner


def has_code(chain: Chain, account: Address) -> bool:
    """Return whether an account is a contract, or delegates to one (EIP-7702): then its code judges signatures."""
    return bool(data_of(chain.request("eth_getCode", [str(account), "latest"])))


def approves(chain: Chain, wallet: Address, digest: Bytes32, signature: bytes) -> bool:
    """Return whether a contract wallet calls a signature its own (ERC-1271).

    Raises:
        ChainUnavailable: No usable answer came.
        InvalidInput: Its code takes the embedded chain too long.
    """
    call = MAGIC + digest + uint(2 * WORD) + dynamic(signature)
    asked = {"to": str(wallet), "gas": hex(CHECK_GAS), "data": f"0x{call.hex()}"}
    try:
        with patient():
            answer = chain.request("eth_call", [asked, "latest"])
    except RpcError:
        return False
    return data_of(answer) == MAGIC + bytes(WORD - len(MAGIC))


def not_by(account: Address, digest: Bytes32) -> ContractRefused:
    """Return the refusal of a signature that is not an account's, as the contracts word it."""
    return SHARED.refusal_of("SignatureNotBySigner", signer=str(account), digest=str(digest))
