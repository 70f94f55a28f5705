"""A node: the chain, the database, the contracts, and the workers that keep them in step, as one thing.

Opening prepares everything and starts nothing; `start` starts the workers; `close` ends them after the step they are
at. Nothing is lost by a kill at any moment either: what was acknowledged is in the database.
"""

from registry.node.health import Health
from registry.node.node import Node
from registry.node.role import Role

__all__ = ["Health", "Node", "Role"]
