"""The commands about datasets."""

from __future__ import annotations

from typing import Final

from registry.cli.lazy import Command

HERE: Final = "registry.cli.rooms.datasets"

COMMANDS: Final[tuple[Command, ...]] = (
    ("register", f"{HERE}.versions", "Register a file or folder as a new dataset."),
    ("revise", f"{HERE}.versions", "Register the next version of a dataset."),
    ("transfer", f"{HERE}.title", "Transfer the title of a dataset."),
    ("withdraw", f"{HERE}.title", "Withdraw a dataset permanently; its history remains."),
    ("publish", f"{HERE}.documents", "Make documents of a dataset public."),
    ("retract", f"{HERE}.documents", "Retract public documents of a dataset."),
    ("documents", f"{HERE}.documents", "List the documents of a dataset that were ever public."),
    ("show", f"{HERE}.browse", "Show a dataset."),
    ("history", f"{HERE}.browse", "Show the versions, transfers and withdrawal of a dataset."),
    ("list", f"{HERE}.browse", "List datasets."),
    ("find", f"{HERE}.browse", "Find who registered a file, a folder or a hash."),
    ("lineage", f"{HERE}.lineage", "Show what a dataset derives from, and what derives from it."),
    ("certificate", f"{HERE}.certificate", "Write the certificate of a dataset: a page with its evidence."),
    ("describe", f"{HERE}.describe", "Describe a dataset for a data catalogue (DCAT 3, Croissant)."),
    ("withhold", f"{HERE}.documents", "Withhold documents of a dataset, as the node's operator."),
)
PROOFS: Final[tuple[Command, ...]] = (
    ("verify", f"{HERE}.verify", "Verify files against the chain, without trust in the gateway."),
    ("watch", f"{HERE}.watch", "Verify files repeatedly, and report when they differ."),
    ("export", f"{HERE}.export", "Write the evidence of a dataset to a file for offline verification."),
)
"""The commands that verify, and that write what can be verified."""
