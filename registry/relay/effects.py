"""Whether what a message asks for has happened already, whoever sent it.

A message is effective at most once, and anybody may send it: a transaction that reverts because somebody else's copy
came first has failed only in name.
"""

from __future__ import annotations

from registry.base.primitives import Bytes32
from registry.chain.client import Chain
from registry.chain.history import BlockRef, Topics, logs_until
from registry.ethereum.abi import left_padded
from registry.ethereum.logs import Moment
from registry.rooms.access.events import (
    ACCESS_GRANTED,
    ACCESS_REQUESTED,
    ACCESS_REVOKED,
    AccessGranted,
    AccessRequested,
    AccessRevoked,
)
from registry.rooms.access.events import decode as decode_access
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.catalogue import AnyMessage
from registry.rooms.datasets.events import REGISTERED, REVISED, TRANSFER, WITHDRAWN, Registered, Revised, Transferred
from registry.rooms.datasets.events import Withdrawn as WithdrawnEvent
from registry.rooms.datasets.events import decode as decode_dataset
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal
from registry.rooms.datasets.records import Dataset, fold
from registry.rooms.deployment import Deployment


def find_effect(chain: Chain, deployment: Deployment, message: AnyMessage, until: BlockRef) -> Moment | None:
    """When and where a message had its effect, up to a block; None if it had none.

    Raises:
        ChainUnavailable: No usable answer came, or the chain left that block meanwhile.
        RpcError: The node refused.
    """
    if isinstance(message, AccessRequest | AccessGrant | AccessRevocation):
        return _access_effect(chain, deployment, message, until)
    return _dataset_effect(chain, deployment, message, until)


def _dataset_effect(
    chain: Chain, deployment: Deployment, message: Registration | Revision | TitleTransfer | Withdrawal, until: BlockRef
) -> Moment | None:
    topic = Bytes32(message.dataset_id)
    wanted: list[Topics] = [[[REGISTERED, REVISED, WITHDRAWN], topic], [TRANSFER, None, None, topic]]
    dataset: Dataset | None = None
    for log, at in logs_until(chain, deployment.registry, wanted, deployment.block_number, until):
        event = decode_dataset(log)
        if event is None:
            continue
        follows = dataset is not None and not isinstance(message, Registration) and dataset.head == message.head
        match message, event:
            case Registration(), Registered():
                if (event.metadata_hash, event.uri, event.sources) == (
                    message.metadata_hash,
                    message.uri.encode(),
                    message.sources,
                ):
                    return at
            case Revision(), Revised() if follows:
                if (event.content_root, event.metadata_hash, event.uri, event.sources) == (
                    message.content_root,
                    message.metadata_hash,
                    message.uri.encode(),
                    message.sources,
                ):
                    return at
            case TitleTransfer(), Transferred() if follows and event.owner == message.to:
                return at
            case Withdrawal(), WithdrawnEvent() if follows and event.reason == message.reason.encode():
                return at
        dataset = fold(dataset, event, at)
    return None


def _access_effect(
    chain: Chain, deployment: Deployment, message: AccessRequest | AccessGrant | AccessRevocation, until: BlockRef
) -> Moment | None:
    wanted: list[Topics] = [
        [
            [ACCESS_REQUESTED, ACCESS_GRANTED, ACCESS_REVOKED],
            Bytes32(message.dataset_id),
            Bytes32(left_padded(message.grantee)),
        ]
    ]
    for log, at in logs_until(chain, deployment.grants, wanted, deployment.block_number, until):
        match message, decode_access(log):
            case AccessRequest(), AccessRequested() as event if event.requests == message.requests + 1 and (
                event.rights,
                event.expires_at,
                event.purpose,
            ) == (message.rights, message.expires_at, message.purpose.encode()):
                return at
            case AccessGrant(), AccessGranted() as event if (
                event.epoch == message.epoch + 1
                and (event.rights, event.expires_at, event.terms_hash)
                == (message.rights, message.expires_at, message.terms_hash)
                and event.starts_at == max(message.starts_at, at.timestamp)
            ):
                return at
            case AccessRevocation(), AccessRevoked() as event if event.epoch == message.epoch + 1:
                return at
    return None
