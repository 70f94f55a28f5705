"""The subject of a message, an event, a receipt or a proof."""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.primitives import Bytes32


@dataclass(frozen=True, slots=True)
class Subject:
    """An item that a room keeps records of.

    Args:
        kind: The kind of item, for example ``dataset``: one lower-case word, unique among the rooms.
        id: Its id, 32 bytes.
    """

    kind: str
    id: Bytes32

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def to_json(self) -> dict[str, str]:
        """Return the subject as JSON shows it."""
        return {"kind": self.kind, "id": str(self.id)}
