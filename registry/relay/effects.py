"""Find the effect of a message on the chain, whichever account sent it.

A message takes effect at most once, and any account may send it. If a transaction reverts because another copy of its
message came first, the message has still taken effect.
"""

from __future__ import annotations

from registry.chain.client import Chain, decoding
from registry.chain.history import NOT_A_FULL_HISTORY, BlockRef, logs_until
from registry.ethereum.eip712 import Message
from registry.ethereum.logs import Moment
from registry.rooms.deployment import Deployment
from registry.rooms.protocol import Protocols


def find_effect(
    chain: Chain, deployment: Deployment, protocols: Protocols, message: Message, until: BlockRef
) -> Moment | None:
    """Return when and where a message took effect, up to a block; None if it did not.

    Raises:
        ChainUnavailable: No usable answer came, the events are not a full history, or the chain left that block
            meanwhile.
        RpcError: The node refused.
    """
    contract, matching = protocols.contracts[message.CONTRACT], protocols.matching(message)
    place = deployment.contracts[message.CONTRACT]
    state = None
    logs = logs_until(chain, place.address, matching.filters(message), place.block_number, until)
    with decoding(NOT_A_FULL_HISTORY):
        for log, at in logs:
            event = contract.decode(log)
            if event is None:
                continue
            if event == matching.expected_event(message, state, at):
                return at
            state = matching.fold(state, event, at)
    return None
