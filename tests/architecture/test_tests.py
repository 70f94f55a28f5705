"""Tests do not sleep, skip in silence, measure time, draw without a seed, or take ports that they do not hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.assurance import FUZZ, WALKS
from tests.architecture.sources import files_of, name_of, tree_of
from tests.fixtures.order import long_first

FORBIDDEN = {
    "sleep": ("tests/fixtures/waiting.py", "wait for a condition: see tests/fixtures/waiting.py"),
    "skip": ("tests/fixtures/tools.py", "call `need` of tests/fixtures/tools.py, which fails in CI"),
    "skipif": ("tests/fixtures/tools.py", "call `need` of tests/fixtures/tools.py, which fails in CI"),
    "importorskip": ("tests/fixtures/tools.py", "call `need` of tests/fixtures/tools.py, which fails in CI"),
    "xfail": ("", "a test passes, or it is mended"),
    "perf_counter": ("", "count what is done; how long it takes depends on the machine"),
    "process_time": ("", "count what is done; how long it takes depends on the machine"),
    "urandom": ("", "take randomness from tests/fixtures/randomness.py, whose seed is printed"),
    "SystemRandom": (
        "scripts/faults/ports.py",
        "take randomness from tests/fixtures/randomness.py, whose seed is printed",
    ),
    "token_bytes": ("", "take randomness from tests/fixtures/randomness.py, whose seed is printed"),
    "token_hex": ("", "take randomness from tests/fixtures/randomness.py, whose seed is printed"),
    "uuid4": ("", "take randomness from tests/fixtures/randomness.py, whose seed is printed"),
    "getsockname": ("scripts/faults/ports.py", "bind port 0 and keep the socket, or call free_port"),
}
"""Names that no test may use, the only file that may, and the alternative."""


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every name that a file imports, reads, or takes from an object, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names)


def test_no_test_uses_what_can_fail_for_the_wrong_reason() -> None:
    faults = []
    for path in files_of("tests", "scripts/faults"):
        file = name_of(path)
        for line, name in names(tree_of(path)):
            allowed, instead = FORBIDDEN.get(name, ("", ""))
            is_script = name == "sleep" and not file.startswith("tests/")
            if instead and not is_script and file != allowed:
                faults.append(f"{file}, line {line}, uses {name}: {instead}")
    assert faults == []


def test_ports_are_given_out_in_one_place() -> None:
    defined = [
        name_of(path)
        for path in files_of("tests", "scripts")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and node.name == "free_port"
    ]
    assert defined == ["scripts/faults/ports.py"]


def test_anvil_is_started_in_one_way() -> None:
    """A killed anvil that was started otherwise leaves the states of its blocks in the user's home."""
    naming = {name_of(path) for path in files_of("tests", "scripts") if "@foundry-rs/" in path.read_text()}
    assert naming == {"scripts/faults/anvil.py", name_of(Path(__file__))}


def test_every_test_with_a_long_form_is_in_a_part_of_make_assurance() -> None:
    """What the suite draws less of is drawn in full by `make assurance`, and nowhere else."""
    with_long_form = {
        name_of(path)
        for path in files_of("tests")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("draws")
    }
    parts = {*WALKS, *FUZZ}
    assert sorted(with_long_form - parts) == []
    assert sorted(parts - {name_of(path) for path in files_of("tests")}) == []


def test_no_fixture_is_imported() -> None:
    """A fixture that several suites share is in tests/fixtures; no other file imports one to have it."""
    fixtures = {
        (name_of(path).removesuffix(".py").replace("/", "."), node.name)
        for path in files_of("tests")
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef)
        and any("pytest.fixture" in ast.unparse(one) for one in node.decorator_list)
    }
    imported = [
        f"{name_of(path)}: {alias.name}"
        for path in files_of("tests")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (node.module, alias.name) in fixtures
    ]
    assert imported == []


@pytest.mark.parametrize(
    ("tests", "workers", "expected"),
    [
        ("abcdef", 2, "abcdef"),
        ("abcDEf", 2, "DabEcf"),
        ("aBCDefg", 3, "BaCeDfg"),
        ("ABCD", 3, "ADBC"),
        ("", 3, ""),
    ],
)
def test_each_worker_begins_with_its_share_of_the_long_tests(tests: str, workers: int, expected: str) -> None:
    """Capitals are long tests; each worker gets as many tests as the others, and one more where they do not divide."""
    assert "".join(long_first(tests, workers, str.isupper)) == expected
