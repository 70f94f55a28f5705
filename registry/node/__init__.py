"""A node: the chain, the database, the contracts, and the workers that keep them in step.

Opening prepares everything and starts nothing. `start` starts the workers; `close` ends them after their current step.
A kill at any moment loses nothing either: whatever was acknowledged is in the database.
"""

from registry.node.health import Health
from registry.node.node import Node
from registry.node.role import Role

__all__ = ["Health", "Node", "Role"]
