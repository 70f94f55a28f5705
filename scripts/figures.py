"""A measured figure with its goal and a peer's figure, as yielded by every benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the benchmarks' table.

    Args:
        name: The name of the measurement; unique over all benchmarks, beginning with the benchmark's name and a colon.
        value: Our figure.
        unit: Its unit, for example ``gas`` or ``files/s``.
        peer: The peer in the same run, or empty.
        peer_value: The peer's figure in the same unit, or None.
        ratio: Ours compared with the peer's, so that above 1 is better for us, or None.
        goal: The goal as text, for example ``<= 85000`` or ``>= 7x``, or empty.
        met: Whether the goal is met; None if there is no goal.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None

    def to_json(self) -> dict[str, object]:
        """Return the row for bench-results.json."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer,
            "peerValue": self.peer_value,
            "ratio": self.ratio,
            "goal": self.goal,
            "met": self.met,
        }
