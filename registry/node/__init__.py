"""A node: the chain, the database, the contracts, and the workers that keep them up to date.

Opening a node prepares everything without starting it. `start` starts the workers; `close` ends them after their
current step. Killing the process at any moment does not lose anything either: everything acknowledged is in the
database.
"""

from registry.node.health import Health
from registry.node.node import Node
from registry.node.role import Role

__all__ = ["Health", "Node", "Role"]
