"""Logs of the rooms' contracts as the index keeps them: decoded, with their place on the chain and the raw log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from registry.base.errors import InvalidInput, RegistryError
from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32
from registry.ethereum.logs import Log
from registry.index.position import block_of, log_index_of
from registry.rooms.deployment import Deployment
from registry.rooms.projection import IndexedEvent
from registry.rooms.room import Rooms

_TOPIC_BYTES: Final = 32


class UndecodableLog(RegistryError):
    """A log at a contract's address that the contract cannot have made: the addresses or the node are wrong."""


class EventDecoder:
    """Decode the logs of a deployment's contracts.

    Args:
        deployment: The contracts.
        rooms: The rooms that know them.
    """

    def __init__(self, deployment: Deployment, rooms: Rooms) -> None:
        contracts = rooms.protocols.contracts
        self.addresses = tuple(deployment.contracts[name].address for name in contracts if name in deployment.contracts)
        self._decoders: dict[Address, Callable[[Log], Any]] = {
            deployment.contracts[name].address: contract.decode
            for name, contract in contracts.items()
            if name in deployment.contracts
        }
        self._kinds = {kind: number for projection in rooms.projections for kind, number in projection.kinds.items()}

    def decode(
        self, log: Log, position: int, block_hash: Bytes32, timestamp: int, transaction_hash: Bytes32
    ) -> IndexedEvent | None:
        """Return the event in a log; None where it changes no record, or the log is of another contract.

        Raises:
            UndecodableLog: The contract cannot have made it.
        """
        decoder = self._decoders.get(log.address)
        if decoder is None:
            return None
        try:
            event = decoder(log)
        except InvalidInput as error:
            raise UndecodableLog(
                f"The contract {log.address} cannot have made the log {log_index_of(position)} of block"
                f" {block_of(position)} (transaction {transaction_hash}): {error.message}",
                hint="Check that the addresses are those of this version's contracts.",
            ) from error
        if event is None:
            return None
        return IndexedEvent(position, block_hash, timestamp, transaction_hash, self._kinds[type(event)], event, log)


def stored_log(topics: bytes, data: bytes) -> Log:
    """Return the log of a stored event, without its address.

    Args:
        topics: The log's topics, one behind the other.
        data: The log's data.
    """
    starts = range(0, len(topics), _TOPIC_BYTES)
    return Log(ZERO_ADDRESS, tuple(Bytes32(topics[start : start + _TOPIC_BYTES]) for start in starts), data)
