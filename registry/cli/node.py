"""`tdr up`, and its parts `tdr gateway`, `relayer` and `indexer`: run a node until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from api import server
    from registry import config, node
    from registry.base import urls
    from registry.cli import output
else:
    server, config, node = lazy("api.server"), lazy("registry.config"), lazy("registry.node")
    output, urls = lazy("registry.cli.output"), lazy("registry.base.urls")

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        parser=options.to_path,
        metavar="FOLDER",
        help="The folder of its chain, database and key.  [default: .tdr]",
    ),
]
Host = Annotated[str | None, typer.Option("--host", help="The address to listen at.  [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option("--port", help="The port to listen at; 0: a free one.  [default: 8000]")]
RpcUrls = Annotated[
    list[str] | None,
    typer.Option("--rpc", metavar="URL", help="A node of an EVM chain, in place of the embedded chain; repeatable."),
]
Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="SQLite or PostgreSQL.  [default: SQLite in --data]")
]


@app.command()
def up(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    rpc_urls: RpcUrls = None,
    database: Database = None,
) -> None:
    """Start a node: the gateway, the relayer and the indexer, on an embedded chain or on a network's chain.

    The first start creates the chain, deploys the contracts and creates the relayer's key. All of this is stored in
    the data folder and survives crashes. Settings may also come from TDR_... variables or a file: see
    `tdr config show`. Ctrl-C or SIGTERM stops the node cleanly.

    \b
    Examples:
      tdr up
      tdr up --data /var/lib/tdr --port 8080
      tdr up --rpc https://node.example --database postgresql+psycopg://tdr@db.example/tdr
    """
    _serve(_settings(data, host, port, rpc_urls, database), "ALL")


@app.command()
def gateway(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    rpc_urls: RpcUrls = None,
    database: Database = None,
) -> None:
    """Run the gateway alone: it serves HTTP, and shares the database with a relayer and an indexer.

    \b
    Example:
      tdr gateway --rpc https://node.example --database postgresql+psycopg://tdr@db.example/tdr
    """
    _serve(_settings(data, host, port, rpc_urls, database), "GATEWAY")


@app.command()
def relayer(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    rpc_urls: RpcUrls = None,
    database: Database = None,
) -> None:
    """Run the relayer alone: it sends accepted writes to the chain. It serves /v1/health and /metrics only.

    \b
    Example:
      tdr relayer --rpc https://node.example --database postgresql+psycopg://tdr@db.example/tdr --port 8001
    """
    _serve(_settings(data, host, port, rpc_urls, database), "RELAYER")


@app.command()
def indexer(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    rpc_urls: RpcUrls = None,
    database: Database = None,
) -> None:
    """Run the indexer alone: it copies the chain's events into the database. It serves /v1/health and /metrics only.

    \b
    Example:
      tdr indexer --rpc https://node.example --database postgresql+psycopg://tdr@db.example/tdr --port 8002
    """
    _serve(_settings(data, host, port, rpc_urls, database), "INDEXER")


def _settings(
    data: Path | None, host: str | None, port: int | None, rpc_urls: list[str] | None, database: str | None
) -> config.Settings:
    flags: dict[str, Any] = {
        "data": data,
        "host": host,
        "port": port,
        "rpc_urls": tuple(rpc_urls) if rpc_urls else None,
        "database_url": database,
    }
    return config.load(flags, os.environ).settings


def _serve(settings: config.Settings, role: str) -> None:
    server.serve(settings, node.Role[role], started=_tell)


def _tell(running: node.Node, url: str) -> None:
    """Print the node's address and the next steps."""
    deployment, settings = running.deployment, running.settings
    output.print_line(f"The node is up at {url}")
    output.print_fields(
        {
            "  chain": f"{deployment.chain_id} ({'over JSON-RPC' if settings.rpc_urls else 'its own, embedded'})",
            **{f"  {name}": address for name, address in deployment.addresses.items()},
            "  data folder": settings.data.absolute(),
            "  API": f"{url}/docs",
        }
    )
    elsewhere = "" if url == "http://127.0.0.1:8000" else f"export TDR_GATEWAY={url}; "
    output.print_line(f'Next, in another terminal: {elsewhere}tdr keys new me; tdr register FOLDER --name "My data"')
    if urls.leads_to_this_machine(settings.public_url or url):
        output.print_line(
            "Links in certificates work for others only after TDR_PUBLIC_URL is set to the node's public address."
        )
    output.print_line("Ctrl-C stops it.")
    sys.stdout.flush()
