"""`tdr index rebuild` and `tdr index check`: rebuild the index from the chain, or compare it with the chain."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry import config, node
    from registry.base import logging as journal
    from registry.cli import output
    from registry.index import check as checks
    from registry.index import sync
else:
    config, node, output = lazy("registry.config"), lazy("registry.node"), lazy("registry.cli.output")
    checks, sync = lazy("registry.index.check"), lazy("registry.index.sync")
    journal = lazy("registry.base.logging")

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Rebuild or check the node's index.")

Data = Annotated[
    Path | None,
    typer.Option("--data", parser=options.to_path, metavar="FOLDER", help="The node's data folder.  [default: .tdr]"),
]
RpcUrls = Annotated[
    list[str] | None, typer.Option("--rpc", metavar="URL", help="A node of the network; not for an embedded chain.")
]
Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="The node's database.  [default: SQLite in --data]")
]


@app.command()
def rebuild(
    data: Data = None, rpc_urls: RpcUrls = None, database: Database = None, as_json: options.AsJson = False
) -> None:
    """Empty the index and rebuild it from the chain. Receipts and documents remain.

    If the node runs an embedded chain, stop the node first.

    \b
    Example:
      tdr index rebuild --data ./.tdr
    """
    with _opened(data, rpc_urls, database) as opened:
        indexer = sync.Indexer(
            opened.chain, opened.storage, opened.deployment, opened.rooms, finality=opened.settings.finality
        )
        indexer.start_over()
        with output.status_line() as show:
            indexer.catch_up(lambda height, of: show(f"block {height} of {of}"))
        fingerprint = checks.fingerprint(opened.storage, opened.rooms)
    result = {"height": indexer.status.height, "fingerprint": str(fingerprint)}
    if as_json:
        output.print_json(result)
    else:
        output.print_fields(result)


@app.command()
def check(
    data: Data = None, rpc_urls: RpcUrls = None, database: Database = None, as_json: options.AsJson = False
) -> None:
    """Fold the chain in memory and compare the result with the index. Exit code 0: equal; 1: not equal.

    If the node runs an embedded chain, stop the node first.

    \b
    Example:
      tdr index check --data ./.tdr
    """
    with _opened(data, rpc_urls, database, checks_only=True) as opened, output.status_line() as show:
        comparison = checks.check(
            opened.chain,
            opened.storage,
            opened.deployment,
            opened.rooms,
            lambda height, of: show(f"block {height} of {of}"),
        )
    result = {
        "equal": comparison.is_equal,
        "height": comparison.height,
        "blockHash": str(comparison.block_hash),
        "chain": str(comparison.chain),
        "index": str(comparison.index),
    }
    if as_json:
        output.print_json(result)
    else:
        output.print_line("EQUAL" if comparison.is_equal else "NOT EQUAL: rebuild it with `tdr index rebuild`")
        output.print_fields({name: value for name, value in result.items() if name != "equal"})
    raise typer.Exit(0 if comparison.is_equal else 1)


def _opened(
    data: Path | None, rpc_urls: list[str] | None, database: str | None, *, checks_only: bool = False
) -> node.Node:
    """Open a node without starting it, so that its embedded chain makes no blocks.

    Raises:
        InvalidInput: There is no such node; opening it would create a new one.
    """
    flags = {"data": data, "rpc_urls": tuple(rpc_urls) if rpc_urls else None, "database_url": database}
    settings = config.load(flags, os.environ).settings
    if not settings.rpc_urls and not settings.chain_folder.exists():
        raise InvalidInput(
            f"There is no chain in the data folder {settings.data}.", hint="Give a node's folder with --data."
        )
    if checks_only and settings.database_url is None and not settings.database_file.exists():
        raise InvalidInput(
            f"There is no database in the data folder {settings.data}.",
            hint="Give a node's folder with --data, or its database with --database.",
        )
    journal.configure("warning", settings.log_format)
    return node.Node.open(settings, node.Role.INDEXER if settings.rpc_urls else node.Role.ALL)
