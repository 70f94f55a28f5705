"""`tdr up`, and its parts `tdr gateway`, `relayer` and `indexer`: running a node until Ctrl-C or SIGTERM."""

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
        help="Where it keeps its chain, database and key.  [default: .tdr]",
    ),
]
Host = Annotated[str | None, typer.Option("--host", help="The address to listen at.  [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option("--port", help="The port to listen at; 0: a free one.  [default: 8000]")]
RpcUrls = Annotated[
    list[str] | None,
    typer.Option("--rpc", metavar="URL", help="A node of an EVM chain, in place of a chain of its own; repeatable."),
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
    """Start a node: the gateway, the relayer and the indexer, over a chain of its own or over a network's.

    The first start makes the chain, puts the contracts on it and makes the relayer's key. All of it is kept in the
    data folder, and is there again after a crash. Settings may also come from TDR_... variables or a file: see
    `tdr config show`. Ctrl-C or SIGTERM stops it in order.

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
    """Run the gateway alone: it answers over HTTP, and shares the database with a relayer and an indexer.

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
    """Run the relayer alone: it brings accepted writes onto the chain. It answers /v1/health and /metrics only.

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
    """Run the indexer alone: it follows the chain into the database. It answers /v1/health and /metrics only.

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
    """Says, once the node answers, where it is and what to do next."""
    deployment, settings = running.deployment, running.settings
    output.print_line(f"The node is up at {url}")
    output.print_fields(
        {
            "  chain": f"{deployment.chain_id} ({'over JSON-RPC' if settings.rpc_urls else 'its own, embedded'})",
            "  DatasetRegistry": deployment.address_of("DatasetRegistry"),
            "  AccessGrants": deployment.address_of("AccessGrants"),
            "  data folder": settings.data.absolute(),
            "  API": f"{url}/docs",
        }
    )
    elsewhere = "" if url == "http://127.0.0.1:8000" else f"export TDR_GATEWAY={url}; "
    output.print_line(f'Next, in another terminal: {elsewhere}tdr keys new me; tdr register FOLDER --name "My data"')
    if urls.leads_to_this_machine(settings.public_url or url):
        output.print_line(
            "Certificates made here lead nowhere for others, until TDR_PUBLIC_URL is the address that they reach."
        )
    output.print_line("Ctrl-C stops it.")
    sys.stdout.flush()
