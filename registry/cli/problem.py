"""What `--json` prints when a command fails: one problem object (RFC 9457) on standard output."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from registry.base.errors import (
    Conflict,
    ContractRefused,
    InvalidInput,
    LimitReached,
    NotFound,
    RegistryError,
    Unavailable,
    VerificationFailed,
)
from registry.cli.output import one_line

USAGE: Final = ("usage", "The command line is invalid")
INTERRUPTED: Final = ("interrupted", "Interrupted")
FAULT: Final = ("internal-error", "Internal error")
_OTHER: Final = ("failed", "The command failed")
_KINDS: Final[tuple[tuple[type[RegistryError], str, str], ...]] = (
    (InvalidInput, "invalid-input", "The input is invalid"),
    (NotFound, "not-found", "Not found"),
    (Conflict, "conflict", "Conflict"),
    (LimitReached, "limit-reached", "A limit is reached"),
    (Unavailable, "unavailable", "Not available now"),
    (VerificationFailed, "verification-failed", "Verification failed"),
)


def is_wanted(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON. It need not be a valid command line."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def of_error(error: RegistryError) -> dict[str, Any]:
    """Return the members that depend on an error: `code`, `title`, `detail`, `hint`, and a contract's error."""
    if isinstance(error, ContractRefused):
        code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", error.name).lower()
        values = {name: _json_value(value) for name, value in error.values.items()}
        return _members((code, "The contract refused"), error.message, error.hint, error=error.name, values=values)
    kind = next(((code, title) for known, code, title in _KINDS if isinstance(error, known)), _OTHER)
    return _members(kind, error.message, error.hint)


def of(kind: tuple[str, str], detail: str, hint: str = "") -> dict[str, Any]:
    """Return the members of a failure that is not a `RegistryError`."""
    return _members(kind, detail, hint)


def print_problem(members: Mapping[str, Any], exit_code: int) -> None:
    """Print a problem object on one line."""
    code = members["code"]
    document = {"type": f"/problems/{code}", **members, "exitCode": exit_code}
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _members(kind: tuple[str, str], detail: str, hint: str, **more: object) -> dict[str, Any]:
    code, title = kind
    return {"title": title, "code": code, "detail": one_line(detail), "hint": one_line(hint) or None, **more}


def _json_value(value: object) -> object:
    return value if isinstance(value, str | int | bool | type(None)) else str(value)
