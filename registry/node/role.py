"""Which part of a node a process is."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """One process may be all of a node, or one part of it. Parts share a database, and a chain over JSON-RPC."""

    ALL = "all"
    GATEWAY = "gateway"
    RELAYER = "relayer"
    INDEXER = "indexer"

    @property
    def parts(self) -> tuple[Role, ...]:
        """The parts that it is made of."""
        return (Role.GATEWAY, Role.RELAYER, Role.INDEXER) if self is Role.ALL else (self,)
