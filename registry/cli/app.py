"""The command `tdr`: its commands, the output of errors, and the exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer
import typer.exceptions

from registry.base.errors import RegistryError
from registry.cli import options, problem
from registry.cli.lazy import LazyGroup, lazy

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = lazy("importlib.metadata")

YES, NO, COULD_NOT_TELL = 0, 1, 2
INTERRUPTED = 130
GATEWAY_VARIABLE = "TDR_GATEWAY"


class _Commands(LazyGroup):
    table = (
        ("up", "registry.cli.node", "Start a node: the gateway, the relayer and the indexer."),
        ("keys", "registry.cli.keys", "Create, list, import and export your signing keys."),
        ("contacts", "registry.cli.contacts", "Name the accounts of other people."),
        ("register", "registry.cli.datasets", "Register a file or folder as a new dataset."),
        ("revise", "registry.cli.datasets", "Register the next version of a dataset."),
        ("transfer", "registry.cli.datasets", "Transfer the title of a dataset."),
        ("withdraw", "registry.cli.datasets", "Withdraw a dataset permanently; its history remains."),
        ("publish", "registry.cli.documents", "Make documents of a dataset public."),
        ("retract", "registry.cli.documents", "Retract public documents of a dataset."),
        ("documents", "registry.cli.documents", "List the documents of a dataset that were ever public."),
        ("grant", "registry.cli.access", "Grant an account access to a dataset."),
        ("revoke", "registry.cli.access", "Revoke an account's access to a dataset."),
        ("request", "registry.cli.access", "Request access to a dataset."),
        ("requests", "registry.cli.access_read", "List the requests for access to a dataset."),
        ("take-requests", "registry.cli.access", "Set whether the gateway accepts requests for access."),
        ("access", "registry.cli.access_read", "Show whether an account may use a dataset, now or at a time."),
        ("show", "registry.cli.browse", "Show a dataset."),
        ("history", "registry.cli.browse", "Show the versions, transfers and withdrawal of a dataset."),
        ("list", "registry.cli.browse", "List datasets."),
        ("find", "registry.cli.browse", "Find who registered a file, a folder or a hash."),
        ("verify", "registry.cli.verify", "Verify files against the chain, without trust in the gateway."),
        ("watch", "registry.cli.watch", "Verify files repeatedly, and report when they differ."),
        ("lineage", "registry.cli.lineage", "Show what a dataset derives from, and what derives from it."),
        ("export", "registry.cli.evidence", "Write the evidence of a dataset to a file for offline verification."),
        ("certificate", "registry.cli.certificate", "Write the certificate of a dataset: a page with its evidence."),
        ("describe", "registry.cli.describe", "Describe a dataset for a data catalogue (DCAT 3, Croissant)."),
        ("receipt", "registry.cli.browse", "Show the status of a write."),
        ("gateway", "registry.cli.node", "Run the gateway alone."),
        ("relayer", "registry.cli.node", "Run the relayer alone."),
        ("indexer", "registry.cli.node", "Run the indexer alone."),
        ("withhold", "registry.cli.documents", "Withhold documents of a dataset, as the node's operator."),
        ("index", "registry.cli.index", "Rebuild or check the node's index."),
        ("witness", "registry.cli.witness", "Run a witness: follow the chain, and cosign checkpoints."),
        ("config", "registry.cli.config", "Show the node's settings and their sources."),
    )


app = typer.Typer(cls=_Commands, add_completion=False, rich_markup_mode=None)


@app.callback(
    epilog="Exit codes: 0: done, or the check passed. 1: check failed (different, not allowed, not found). "
    "2: error, no result."
)
def tdr(gateway_url: options.GatewayUrl = options.GATEWAY_URL) -> None:
    """Trusted data registry: what a dataset was, who owned it, who might use it, provable to anyone.

    To begin, run `tdr up`, and in another terminal `tdr keys new me`, `tdr register FOLDER --name "My data"`.
    `tdr --version` prints the version.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit the process with its exit code.

    Args:
        arguments: The command line without the program's name; None for the process's own.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="backslashreplace"
            )  # A name that the terminal cannot show must not stop a command.
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments)))


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        sys.stdout.write(f"tdr {metadata.version('trusted-data-registry')}\n")
        return YES
    as_json = problem.is_wanted(arguments)
    try:
        code = _call(arguments)
        sys.stdout.flush()
    except RegistryError as error:
        return _refuse(problem.of_error(error), as_json=as_json)
    except typer.exceptions.TyperException as error:
        message = error.format_message()
        sentence = message if message[-1:] in ".?!" else f"{message}."
        return _refuse(problem.of(problem.USAGE, sentence, _where_help_is(error)), as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        return _refuse(problem.of(problem.INTERRUPTED, "Interrupted."), INTERRUPTED, as_json=as_json)
    except BrokenPipeError:
        sys.stdout = None  # The reader of the output has closed it.
        return COULD_NOT_TELL
    except Exception:  # noqa: BLE001  A bug must not exit with Python's code 1, which means a failed check.
        traceback.print_exc()
        detail = "This is a bug in tdr. Please report it with the lines above."
        return _refuse(problem.of(problem.FAULT, detail), as_json=as_json)
    return code if isinstance(code, int) else YES


def _call(arguments: list[str]) -> object:
    """Run a command line. `--gateway` before the command is the default for `--gateway` after it."""
    arguments, gateway = _without_gateway(arguments)
    if gateway is None:
        return _call_command(arguments)
    before = os.environ.get(GATEWAY_VARIABLE)
    os.environ[GATEWAY_VARIABLE] = gateway
    try:
        return _call_command(arguments)
    finally:
        os.environ.pop(GATEWAY_VARIABLE)
        if before is not None:
            os.environ[GATEWAY_VARIABLE] = before


def _without_gateway(arguments: list[str]) -> tuple[list[str], str | None]:
    """Return a command line without a `--gateway URL` before the command, and the URL."""
    match arguments:
        case ["--gateway", url, *rest]:
            return rest, url
        case [first, *rest] if first.startswith("--gateway="):
            return rest, first.removeprefix("--gateway=")
    return arguments, None


def _call_command(arguments: list[str]) -> object:
    """Call the named command directly: through the group, typer would take 60 ms more for its options."""
    group = typer.main.get_command(app)
    command = group.load(arguments[0]) if arguments and isinstance(group, LazyGroup) else None
    if command is None:
        return group(arguments or ["--help"], prog_name="tdr", standalone_mode=False)
    return command(arguments[1:], prog_name=f"tdr {arguments[0]}", standalone_mode=False)


def _refuse(members: Mapping[str, Any], code: int = COULD_NOT_TELL, *, as_json: bool) -> int:
    """Print a failure: one line on standard error, and the problem object on standard output if JSON is asked for."""
    sys.stderr.write(f"error: {' '.join(filter(None, (members['detail'], members['hint'])))}\n")
    if as_json:
        with contextlib.suppress(BrokenPipeError):
            problem.print_problem(members, code)
    return code


def _where_help_is(error: typer.exceptions.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"See `{context.command_path if context else 'tdr'} --help`."
