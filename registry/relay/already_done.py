"""Messages that took effect before this gateway received them, because they were sent without it.

Such a message gets a receipt like any other. The contract checks the state before the signature, so the signature is
checked here. Each effect has exactly one receipt, however often the message is submitted.
"""

from __future__ import annotations

from registry.base.errors import ContractRefused
from registry.base.primitives import Address
from registry.chain.client import Chain
from registry.chain.history import block_at
from registry.ethereum.logs import Moment
from registry.relay.authority import approves, has_code, not_by, owner_of
from registry.relay.effects import find_effect
from registry.relay.prepared import PreparedTransaction
from registry.rooms.deployment import Deployment
from registry.rooms.room import Rooms
from registry.storage.engine import Storage


def find_done(
    chain: Chain,
    storage: Storage,
    deployment: Deployment,
    rooms: Rooms,
    prepared: PreparedTransaction,
    refused: ContractRefused,
) -> Moment:
    """Return when a refused message took effect, if its signature is valid.

    The signature is checked before the logs are searched. It may be by the account that the message names, by the
    current owner of the subject, or by a former owner.

    Args:
        chain: The chain.
        storage: The database, whose index knows former owners.
        deployment: The contracts.
        rooms: The rooms.
        prepared: The message and its signature.
        refused: The contract's refusal of it.

    Raises:
        ContractRefused: `refused`, if the message has not taken effect; or the signature is not by the account that had
            to sign.
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
        Unavailable: The database cannot be used.
    """
    message = prepared.message
    if refused.name not in rooms.protocols.matching(message).outdated:
        raise refused
    signer = _possible_signer(chain, storage, deployment, rooms, prepared)
    if signer is None:
        raise refused
    require_signed_by(chain, signer, prepared)
    done = find_effect(chain, deployment, rooms.protocols, message, block_at(chain))
    if done is None:
        raise refused
    required = rooms.protocols.named_signer(message)
    if required is None:
        required = rooms.ownership(message.subject.kind).owner_before(chain, deployment, message.subject.id, done)
    if signer != required:
        raise not_by(signer, prepared.digest)
    return done


def require_signed_by(chain: Chain, account: Address, prepared: PreparedTransaction) -> None:
    """Require that a message was signed by an account: by its key, or as its code accepts it (ERC-1271).

    Raises:
        ContractRefused: It was not.
        InvalidInput: The account's code takes the embedded chain too long.
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    if prepared.signer == account:
        return
    forms = {prepared.signature, prepared.given}
    if not has_code(chain, account) or not any(approves(chain, account, prepared.digest, form) for form in forms):
        raise not_by(account, prepared.digest)


def _possible_signer(
    chain: Chain, storage: Storage, deployment: Deployment, rooms: Rooms, prepared: PreparedTransaction
) -> Address | None:
    """Return the account that may have had to sign; None where there is no such subject."""
    message, signer = prepared.message, prepared.signer
    named = rooms.protocols.named_signer(message)
    if named is not None:
        return named
    owner = owner_of(chain, deployment, rooms, message.subject)
    if signer is not None and signer != owner:
        has_owned = rooms.ownership(message.subject.kind).has_owned
        if has_owned(storage, message.subject.id, signer):
            return signer
    return owner
