"""The commands of `tdr`: a name, the module that has it, and its line of help.

A room's commands are under its name. The modules are loaded when a command is called.
"""

from __future__ import annotations

from typing import Final

Command = tuple[str, str, str]
"""The name of a command, its module, and its line of help. In the module, `app` has the command."""

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
PROOFS: Final[tuple[Command, ...]] = (
    ("verify", "registry.cli.verify", "Verify files against the chain, without trust in the gateway."),
    ("watch", "registry.cli.watch", "Verify files repeatedly, and report when they differ."),
    ("export", "registry.cli.evidence", "Write the evidence of a dataset to a file for offline verification."),
    ("receipt", "registry.cli.browse", "Show the status of a write."),
)
ROOMS: Final[dict[str, tuple[Command, ...]]] = {
    "datasets": (
        ("register", "registry.cli.datasets", "Register a file or folder as a new dataset."),
        ("revise", "registry.cli.datasets", "Register the next version of a dataset."),
        ("transfer", "registry.cli.datasets", "Transfer the title of a dataset."),
        ("withdraw", "registry.cli.datasets", "Withdraw a dataset permanently; its history remains."),
        ("publish", "registry.cli.documents", "Make documents of a dataset public."),
        ("retract", "registry.cli.documents", "Retract public documents of a dataset."),
        ("documents", "registry.cli.documents", "List the documents of a dataset that were ever public."),
        ("show", "registry.cli.browse", "Show a dataset."),
        ("history", "registry.cli.browse", "Show the versions, transfers and withdrawal of a dataset."),
        ("list", "registry.cli.browse", "List datasets."),
        ("find", "registry.cli.browse", "Find who registered a file, a folder or a hash."),
        ("lineage", "registry.cli.lineage", "Show what a dataset derives from, and what derives from it."),
        ("certificate", "registry.cli.certificate", "Write the certificate of a dataset: a page with its evidence."),
        ("describe", "registry.cli.describe", "Describe a dataset for a data catalogue (DCAT 3, Croissant)."),
        ("withhold", "registry.cli.documents", "Withhold documents of a dataset, as the node's operator."),
    ),
    "access": (
        ("grant", "registry.cli.access", "Grant an account access to a dataset."),
        ("revoke", "registry.cli.access", "Revoke an account's access to a dataset."),
        ("request", "registry.cli.access", "Request access to a dataset."),
        ("requests", "registry.cli.access_read", "List the requests for access to a dataset."),
        ("take-requests", "registry.cli.access", "Set whether the gateway accepts requests for access."),
        ("access", "registry.cli.access_read", "Show whether an account may use a dataset, now or at a time."),
    ),
}

COMMANDS: Final[tuple[Command, ...]] = (
    *NODE[:1],
    *ACCOUNTS,
    *(command for commands in ROOMS.values() for command in commands),
    *PROOFS,
    *NODE[1:],
)
"""All commands, in the order of the help text."""
