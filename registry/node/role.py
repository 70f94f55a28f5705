"""The roles of a process within a node."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The role of a process: a whole node or one part of it. Parts share a database, and a chain over JSON-RPC."""

    ALL = "all"
    GATEWAY = "gateway"
    RELAYER = "relayer"
    INDEXER = "indexer"

    @property
    def parts(self) -> tuple[Role, ...]:
        """Return the parts of the node that the role includes."""
        return (Role.GATEWAY, Role.RELAYER, Role.INDEXER) if self is Role.ALL else (self,)
