"""Messages that are unknown here and have had their effect already: sent past this gateway, by anybody.

Such a message is answered with a receipt like any other. So its signature must be good although the contract, which
checks the state first, did not come to check it; and one effect has one receipt, however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from registry.base.errors import ContractRefused
from registry.base.primitives import Address, DatasetId
from registry.chain.client import Chain
from registry.chain.history import BlockRef, block_at
from registry.ethereum.logs import Moment
from registry.relay.authority import approves, has_code, named_signer, not_by, owner_of
from registry.relay.effects import find_effect
from registry.relay.submission import Submission
from registry.rooms.datasets.service import read_dataset
from registry.rooms.deployment import Deployment
from registry.rooms.protocols import PROTOCOLS

HasOwned = Callable[[DatasetId, Address], bool]
"""Says, without asking the chain, whether an account is known to have owned a dataset at some time."""

_MOVED_ON: Final = frozenset({"DatasetExists", "HeadMismatch", "EpochMismatch", "RequestsMismatch"})
"""What a contract refuses a message with that has had its effect. The deadline it has checked before."""


def find_done(
    chain: Chain, deployment: Deployment, submission: Submission, refused: ContractRefused, has_owned: HasOwned
) -> Moment:
    """Return when a refused message had its effect, if its signature is good.

    The signature is checked before the logs are searched: by the account that the message names, the dataset's present
    owner, or a former one.

    Args:
        chain: The chain.
        deployment: The contracts.
        submission: The message and its signature.
        refused: The contract's refusal of it.
        has_owned: Tells former owners from strangers.

    Raises:
        ContractRefused: `refused`, where it has had no effect; or the signature is not by the account that had to sign.
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    if refused.name not in _MOVED_ON:
        raise refused
    signer = _signer(chain, deployment, submission, has_owned)
    if signer is None:
        raise refused
    require_signed_by(chain, signer, submission)
    done = find_effect(chain, deployment, PROTOCOLS, submission.message, block_at(chain))
    if done is None:
        raise refused
    if signer != _signer_at(chain, deployment, submission, done):
        raise not_by(signer, submission.digest)
    return done


def require_signed_by(chain: Chain, account: Address, submission: Submission) -> None:
    """Require that a message was signed by an account: by its key, or by its contract's word (ERC-1271).

    Raises:
        ContractRefused: It was not.
        ChainUnavailable: No usable answer came.
    """
    if submission.signer == account:
        return
    forms = {submission.signature, submission.given}
    if not has_code(chain, account) or not any(approves(chain, account, submission.digest, form) for form in forms):
        raise not_by(account, submission.digest)


def _signer(chain: Chain, deployment: Deployment, submission: Submission, has_owned: HasOwned) -> Address | None:
    """Return the account that may have had to sign; None where there is no such dataset."""
    message, signer = submission.message, submission.signer
    named = named_signer(message)
    if named is not None:
        return named
    owner = owner_of(chain, deployment, DatasetId(message.subject.id))
    if signer is not None and signer != owner and has_owned(DatasetId(message.subject.id), signer):
        return signer
    return owner


def _signer_at(chain: Chain, deployment: Deployment, submission: Submission, done: Moment) -> Address | None:
    """Return the account that had to sign when the effect happened."""
    message = submission.message
    named = named_signer(message)
    if named is not None:
        return named
    until = BlockRef(done.block_number, done.block_hash, done.timestamp)
    dataset = read_dataset(chain, deployment, DatasetId(message.subject.id), until)
    return next((title.owner for title in reversed(dataset.titles) if title.since < done), None)
