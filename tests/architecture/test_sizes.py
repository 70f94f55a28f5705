"""Files, functions and lists of parameters stay small enough to be read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.architecture.sources import ROOT, Function, definitions, files_of, name_of, tree_of

FILE_LINES = 400
FUNCTION_LINES = 50
PARAMETERS = 8

LONG_FILES: Mapping[str, int] = {}
"""The files that are still longer, and what they may have at the most. Lists and figures shrink, and never grow."""

LONG_FUNCTIONS: Mapping[str, int] = {
    "registry/storage/migrations/versions/revision_0001.py::upgrade": 185,
    "registry/storage/migrations/versions/revision_0002.py::upgrade": 109,
}
"""The same of functions: of an option list's function its body counts alone."""

OPTION_LISTS = ("app.", "router.")
"""What decorates a command of typer or a route of FastAPI: its parameters are the options that users see."""


def functions() -> Iterator[tuple[str, Function]]:
    for path in files_of("registry", "api", "scripts", "tests"):
        for name, node in definitions(tree_of(path)):
            if isinstance(node, Function):
                yield f"{name_of(path)}::{name}", node


def has_options(node: Function) -> bool:
    """Return whether a function is a command or a route."""
    return any(ast.unparse(decorator).startswith(OPTION_LISTS) for decorator in node.decorator_list)


def lines_of(node: Function) -> int:
    """Return the lines of a function; of a command or a route, those of its body."""
    assert node.end_lineno is not None
    first = node.body[0].lineno if has_options(node) else node.lineno
    return node.end_lineno - first + 1


def parameters_of(node: Function) -> int:
    """Return the number of parameters of a function; those of a command or a route do not count."""
    given = node.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return 0 if has_options(node) else len([name for name in names if name not in ("self", "cls")])


def file_lengths() -> dict[str, int]:
    sources = [*files_of("registry", "api", "scripts", "tests"), *(ROOT / "api/verifier").rglob("*.mjs")]
    sources += (ROOT / "contracts").rglob("*.sol")
    return {name_of(path): len(path.read_text().splitlines()) for path in sources}


def assert_nothing_is_larger(measured: Mapping[str, int], limit: int, exceptions: Mapping[str, int]) -> None:
    larger = {name: size for name, size in measured.items() if size > exceptions.get(name, limit)}
    assert larger == {}, f"more than {limit}, or than what the list allows for the time being: make it smaller"
    small = sorted(name for name in exceptions if measured.get(name, 0) <= limit)
    assert small == [], "these keep to the limit now, or are gone: take them out of the list"


def test_no_file_is_longer_than_agreed() -> None:
    assert_nothing_is_larger(file_lengths(), FILE_LINES, LONG_FILES)


def test_no_function_is_longer_than_agreed() -> None:
    assert_nothing_is_larger({name: lines_of(node) for name, node in functions()}, FUNCTION_LINES, LONG_FUNCTIONS)


def test_no_function_has_more_parameters_than_agreed() -> None:
    assert_nothing_is_larger({name: parameters_of(node) for name, node in functions()}, PARAMETERS, {})
