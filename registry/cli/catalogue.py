"""The commands of `tdr`, in the order of the help text. Their modules are loaded when they are called."""

from __future__ import annotations

from typing import Final

from registry.cli.lazy import Command
from registry.cli.rooms import catalogue as rooms

NODE: Final[tuple[Command, ...]] = (
    ("up", "registry.cli.node", "Start a node: the gateway, the relayer and the indexer."),
    ("gateway", "registry.cli.node", "Run the gateway alone."),
    ("relayer", "registry.cli.node", "Run the relayer alone."),
    ("indexer", "registry.cli.node", "Run the indexer alone."),
    ("index", "registry.cli.index", "Rebuild or check the node's index."),
    ("witness", "registry.cli.witness", "Run a witness: follow the chain, and cosign checkpoints."),
    ("config", "registry.cli.config", "Show the node's settings and their sources."),
)
ACCOUNTS: Final[tuple[Command, ...]] = (
    ("keys", "registry.cli.keys", "Create, list, import and export your signing keys."),
    ("contacts", "registry.cli.contacts", "Name the accounts of other people."),
)
WRITES: Final[tuple[Command, ...]] = (("receipt", "registry.cli.receipt", "Show the status of a write."),)

COMMANDS: Final[tuple[Command, ...]] = (
    *NODE[:1],
    *ACCOUNTS,
    *rooms.COMMANDS,
    *WRITES,
    *NODE[1:],
)
"""All commands, in the order of the help text."""
