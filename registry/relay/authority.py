"""Checks of signatures that no contract has checked.

The contracts check a signature last, after the state that the message follows. If that state has changed, their
refusal does not say whether the signature is valid, so it is checked here.
"""

from __future__ import annotations

from typing import Final

from registry.base.errors import ContractRefused
from registry.base.primitives import Address, Bytes32
from registry.base.subject import Subject
from registry.chain.calls import data_of
from registry.chain.client import Chain, RpcError
from registry.ethereum.abi import WORD, dynamic, uint
from registry.ethereum.eip712 import Message
from registry.ethereum.refusals import SHARED
from registry.relay.patience import patient
from registry.rooms.deployment import Deployment
from registry.rooms.room import Rooms

MAGIC: Final = bytes.fromhex("1626ba7e")
"""The value that `isValidSignature(bytes32,bytes)` returns for a valid signature: its selector. Source: ERC-1271."""
CHECK_GAS: Final = 300_000


def owner_of(chain: Chain, deployment: Deployment, rooms: Rooms, subject: Subject) -> Address | None:
    """Return the owner of a subject in the newest block; None where there is no such subject.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    return rooms.ownership(subject.kind).owner_of(chain, deployment, subject.id)


def required_signer(chain: Chain, deployment: Deployment, rooms: Rooms, message: Message) -> Address | None:
    """Return the account that has to sign a message now; None where there is no such subject.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    return rooms.protocols.named_signer(message) or owner_of(chain, deployment, rooms, message.subject)


def has_code(chain: Chain, account: Address) -> bool:
    """Return whether an account is a contract, or delegates to one (EIP-7702). Then its code checks signatures.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    return bool(data_of(chain.request("eth_getCode", [str(account), "latest"])))


def approves(chain: Chain, wallet: Address, digest: Bytes32, signature: bytes) -> bool:
    """Return whether a contract wallet accepts a signature as its own (ERC-1271).

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
    """Return the contracts' error for a signature that is not by an account."""
    return SHARED.refusal_of("SignatureNotBySigner", signer=str(account), digest=str(digest))
