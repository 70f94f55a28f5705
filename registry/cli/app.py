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
from registry.cli.catalogue import COMMANDS
from registry.cli.lazy import Command, LazyGroup, lazy

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = lazy("importlib.metadata")

YES, NO, COULD_NOT_TELL = 0, 1, 2
INTERRUPTED = 130
GATEWAY_VARIABLE = "TDR_GATEWAY"


def application(commands: Sequence[Command] = COMMANDS) -> typer.Typer:
    """Return the command line with some commands."""
    group = type("Commands", (LazyGroup,), {"table": tuple(commands)})
    application = typer.Typer(cls=group, add_completion=False, rich_markup_mode=None)
    application.callback(epilog=EXIT_CODES)(tdr)
    return application


EXIT_CODES = (
    "Exit codes: 0: done, or the check passed. 1: check failed (different, not allowed, not found). "
    "2: error, no result."
)


def tdr(gateway_url: options.GatewayUrl = options.GATEWAY_URL) -> None:
    """Trusted data registry: what a dataset was, who owned it, who might use it, provable to anyone.

    To begin, run `tdr up`, and in another terminal `tdr keys new me`, `tdr register FOLDER --name "My data"`.
    `tdr --version` prints the version.
    """


def main(arguments: Sequence[str] | None = None, commands: Sequence[Command] = COMMANDS) -> NoReturn:
    """Run one command and exit the process with its exit code.

    Args:
        arguments: The command line without the program's name; None for the process's own.
        commands: The commands that there are.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="backslashreplace"
            )  # A name that the terminal cannot show must not stop a command.
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments), application(commands)))


def _run(arguments: list[str], app: typer.Typer) -> int:
    if arguments == ["--version"]:
        sys.stdout.write(f"tdr {metadata.version('trusted-data-registry')}\n")
        return YES
    as_json = problem.is_wanted(arguments)
    try:
        code = _call(arguments, app)
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


def _call(arguments: list[str], app: typer.Typer) -> object:
    """Run a command line. `--gateway` before the command is the default for `--gateway` after it."""
    arguments, gateway = _without_gateway(arguments)
    if gateway is None:
        return _call_command(arguments, app)
    before = os.environ.get(GATEWAY_VARIABLE)
    os.environ[GATEWAY_VARIABLE] = gateway
    try:
        return _call_command(arguments, app)
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


def _call_command(arguments: list[str], app: typer.Typer) -> object:
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
