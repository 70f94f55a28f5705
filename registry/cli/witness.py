"""`tdr witness`: an independent process that follows the chain on its own node and cosigns a registry's checkpoints."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.base.errors import InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    import api.witness as server
    from registry.base import logging as journal
    from registry.chain import rpc
    from registry.cli import output, times
    from registry.notes import note
    from registry.witness import store, witness
else:
    server, journal, note = lazy("api.witness"), lazy("registry.base.logging"), lazy("registry.notes.note")
    rpc, output, times = lazy("registry.chain.rpc"), lazy("registry.cli.output"), lazy("registry.cli.times")
    store, witness = lazy("registry.witness.store"), lazy("registry.witness.witness")

FOLDER = Path(".tdr-witness")
PORT = 8100
YES, NO = 0, 1

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        parser=options.to_path,
        envvar="TDR_WITNESS_DATA",
        metavar="FOLDER",
        help="The folder of its key and state.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", help="The name of a new key, such as witness.example.org.  [default: derived from the key]"),
]


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    rpc_urls: Annotated[
        list[str] | None,
        typer.Option("--rpc", metavar="URL", help="Its own node, on the chain to follow; repeatable."),
    ] = None,
    node_keys: Annotated[
        list[str] | None,
        typer.Option(
            "--node-key", metavar="KEY", help="The key of a registry's node whose checkpoints to cosign; repeatable."
        ),
    ] = None,
    data: Data = FOLDER,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port to listen at; 0: a free one.")] = PORT,
    finality: Annotated[
        str,
        typer.Option(
            "--finality",
            help="When a block is final: 'finalized' (by the node's tag), a number of later blocks, or 'auto': by the "
            "tag, or after 12 later blocks where the chain has no finalized blocks.",
        ),
    ] = "auto",
    name: Name = None,
    poll_seconds: Annotated[
        float, typer.Option("--poll", metavar="SECONDS", min=0.1, help="The pause between two requests to its node.")
    ] = 2.0,
    log_format: Annotated[str, typer.Option("--log-format", help="'console' or 'json'.")] = "console",
) -> None:
    """Run a witness: it follows a chain on its own node, and cosigns a registry's checkpoints of that chain.

    It signs one history only, in ascending order, even after crashes. A contradiction is stored as an alarm that shows
    both statements: in the log, at /alarms and by `tdr witness alarms`. It uses only the nodes that you give. A witness
    that uses the registry's own node proves less.

    \b
    Examples:
      tdr witness key --name witness.example.org
      tdr witness --rpc https://node.example --node-key 'tdr-node-0a1b2c3d+5e6f7a8b+AbCd...'
    """
    if context.invoked_subcommand is not None:
        return
    if not rpc_urls or not node_keys:
        raise InvalidInput(
            "A witness needs a node to follow, and the key of a registry's node whose checkpoints to cosign.",
            hint="Give both: --rpc URL --node-key KEY. GET /v1/checkpoints/keys of the registry returns its key.",
        )
    if log_format not in ("console", "json"):
        raise InvalidInput(f"--log-format is 'console' or 'json'; got {log_format!r}.")
    journal.configure("info", "json" if log_format == "json" else "console")
    nodes = [note.VerifierKey.parse(key) for key in node_keys]
    if any(key.kind is not note.KeyKind.NOTE for key in nodes):
        raise InvalidInput("One of the node keys is a witness's key.", hint="Give the key of the registry's node.")
    when_final, chain = _finality(finality), rpc.RpcChain(rpc_urls)
    running = witness.Witness(store.WitnessStore.open(data, name=name), chain, nodes, finality=when_final)
    server.serve_witness(running, host, port, poll_seconds=poll_seconds, started=lambda url: _tell(running, url))


@app.command()
def key(data: Data = FOLDER, name: Name = None) -> None:
    """Print the witness's public key; create the key if there is none.

    \b
    Example:
      tdr witness key --name witness.example.org
    """
    opened = store.WitnessStore.open(data, name=name, alone=False)
    output.print_line(str(opened.key.verifier))
    opened.close()


@app.command()
def alarms(data: Data = FOLDER, as_json: options.AsJson = False) -> int:
    """List the witness's alarms. Exit code 1: an alarm is not acknowledged.

    \b
    Example:
      tdr witness alarms --json
    """
    opened = store.WitnessStore.open(_existing(data), alone=False)
    raised = opened.alarms()
    opened.close()
    items: list[dict[str, Any]] = [
        {
            "number": item.number,
            **item.alarm.to_json(),
            "time": times.show_time(item.time),
            "acknowledgedAt": None if item.acknowledged_at is None else times.show_time(item.acknowledged_at),
        }
        for item in raised
    ]
    if as_json:
        output.print_json({"alarms": items})
    elif not items:
        output.print_line("There are no alarms.")
    for item in () if as_json else raised:
        seen = "" if item.acknowledged_at is None else f", acknowledged {times.show_time(item.acknowledged_at)}"
        output.print_line(f"ALARM {item.number}, {times.show_time(item.time)}{seen}: {output.plain(item.alarm)}")
        for whose, statement in (("Before", item.alarm.ours), ("Now", item.alarm.theirs)):
            output.print_line(f"  {whose}:")
            for line in str(statement).splitlines():
                output.print_line(f"    {output.plain(line)}")
    return NO if any(item.acknowledged_at is None for item in raised) else YES


@app.command()
def acknowledge(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The alarm's number.")], data: Data = FOLDER
) -> None:
    """Acknowledge an alarm. It remains stored, and the witness cosigns as before.

    \b
    Example:
      tdr witness acknowledge 1
    """
    opened = store.WitnessStore.open(_existing(data), alone=False)
    try:
        opened.acknowledge(number, int(time.time()))
    finally:
        opened.close()
    output.print_line(f"Alarm {number} is acknowledged.")


def _existing(data: Path) -> Path:
    if not (data / store.STATE_FILE).exists():
        raise InvalidInput(f"There is no witness in {data}.", hint="Give its folder: --data FOLDER.")
    return data


def _finality(text: str) -> Any:
    if text in ("auto", "finalized"):
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise InvalidInput(f"--finality is 'auto', 'finalized' or a number of blocks; got {text!r}.")
    return int(text)


def _tell(running: witness.Witness, url: str) -> None:
    """Print the witness's address and the setting for the registry's node."""
    output.print_line(f"The witness is up at {url}")
    output.print_fields({"  key": running.key})
    output.print_line(f"Set on the registry's node: TDR_WITNESSES='{running.key} {url}'")
    output.print_line("Ctrl-C stops it.")
    sys.stdout.flush()
