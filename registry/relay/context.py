"""The objects that all steps of a relayer share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from registry.base.primitives import Address
from registry.chain.client import Chain
from registry.chain.finality import FinalityRule
from registry.relay.fees import Fees
from registry.relay.settings import RelaySettings
from registry.relay.signing import Payload, SignedTransaction, Signer
from registry.rooms.deployment import Deployment
from registry.rooms.protocol import Protocols
from registry.storage.engine import Storage


@dataclass(frozen=True, slots=True)
class RelayContext:
    """The objects that all steps of a relayer share.

    Args:
        chain: The chain.
        storage: The database.
        signer: The key.
        deployment: The contracts.
        protocols: The offline halves of the rooms.
        settings: The relayer's settings.
        finality: When a block is final.
        clock: Returns the Unix time in seconds.
    """

    chain: Chain
    storage: Storage
    signer: Signer
    deployment: Deployment
    protocols: Protocols
    settings: RelaySettings
    finality: FinalityRule
    clock: Callable[[], float]

    @property
    def address(self) -> Address:
        """The relaying account."""
        return self.signer.address

    def sign(self, nonce: int, payload: Payload, fees: Fees) -> SignedTransaction:
        """Return a signed transaction for the contracts' chain."""
        return self.signer.sign(self.deployment.chain_id, nonce, fees, payload)
