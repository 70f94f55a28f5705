"""Whether what a message asks for has happened already, whoever sent it.

A message has an effect at most once, and anybody may send it: a transaction that reverts because another copy of its
message came first has had its effect all the same.
"""

from __future__ import annotations

from registry.chain.client import Chain
from registry.chain.history import BlockRef, logs_until
from registry.ethereum.eip712 import Message
from registry.ethereum.logs import Moment
from registry.rooms.deployment import Deployment
from registry.rooms.protocol import Protocols


def find_effect(
    chain: Chain, deployment: Deployment, protocols: Protocols, message: Message, until: BlockRef
) -> Moment | None:
    """Return when and where a message had its effect, up to a block; None if it had none.

    Raises:
        ChainUnavailable: No usable answer came, or the chain left that block meanwhile.
        RpcError: The node refused.
    """
    contract, matching = protocols.contracts[message.CONTRACT], protocols.matching(message)
    place = deployment.contracts[message.CONTRACT]
    state = None
    for log, at in logs_until(chain, place.address, matching.filters(message), place.block_number, until):
        event = contract.decode(log)
        if event is None:
            continue
        if event == matching.expected_event(message, state, at):
            return at
        state = matching.fold(state, event, at)
    return None
