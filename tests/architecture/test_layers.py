"""The shape of the house: imports go down only, there are no cycles, and heavy libraries stay in their rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS: tuple[tuple[str, ...], ...] = (
    ("registry",),
    ("registry.cli.rooms.access",),
    ("registry.cli.rooms.datasets",),
    ("registry.cli",),
    ("registry.cli.rooms.access.commands", "registry.cli.rooms.datasets.commands"),
    ("registry.cli.lazy",),
    ("api",),
    ("registry.node",),
    ("registry.evidence_export", "registry.checkpoints", "registry.verification"),
    ("registry.sdk", "registry.rooms.catalogue"),
    ("registry.rooms.access",),
    ("registry.rooms.datasets",),
    ("registry.statements",),
    ("registry.relay", "registry.index", "registry.witness"),
    ("registry.rooms.room",),
    ("registry.rooms.projection",),
    ("registry.documents",),
    ("registry.feed", "registry.timers"),
    ("registry.devchain",),
    ("registry.storage", "registry.chain", "registry.keys", "registry.config", "registry.metrics"),
    ("registry.certificate",),
    ("registry.lineage", "registry.catalogue"),
    ("registry.rooms.protocols",),
    ("registry.rooms.access.protocol",),
    ("registry.rooms.access.matching", "registry.rooms.access.proof", "registry.rooms.access.summary"),
    ("registry.rooms.access.records",),
    ("registry.rooms.access.events",),
    ("registry.rooms.access.messages", "registry.rooms.access.errors"),
    ("registry.rooms.datasets.protocol",),
    ("registry.rooms.datasets.matching", "registry.rooms.datasets.proof", "registry.rooms.datasets.summary"),
    ("registry.rooms.datasets.statements",),
    ("registry.rooms.datasets.records",),
    ("registry.rooms.datasets.events", "registry.rooms.datasets.head", "registry.rooms.datasets.caip"),
    ("registry.rooms.datasets.messages", "registry.rooms.datasets.errors"),
    ("registry.evidence",),
    ("registry.rooms.protocol", "registry.rooms.deployment", "registry.artifacts"),
    ("registry.rooms.proof_adapter",),
    ("registry.index.position",),
    ("registry.manifest", "registry.notes", "registry.ethereum"),
    ("registry.base",),
    ("registry.rooms",),
)
"""From the roof down. A module stands on the floor of its longest prefix, in the room of that prefix."""

ONLY_IN = {
    "web3": ("registry.chain",),
    "eth_tester": ("registry.devchain",),
    "eth": ("registry.devchain",),
    "sqlalchemy": (
        "registry.rooms",
        "registry.storage",
        "registry.index",
        "registry.relay",
        "registry.documents",
        "registry.statements",
        "registry.checkpoints",
        "registry.feed",
        "registry.timers",
    ),
    "fastapi": ("api",),
    "typer": ("registry.cli",),
}
"""Which rooms may import a heavy library."""


def modules() -> dict[str, Path]:
    found = {}
    for package in ("registry", "api"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = path
    return found


MODULES = modules()


def room_of(module: str) -> tuple[int, str]:
    """The floor's number (0 is the roof) and the room of a module."""
    rooms = [(len(room), floor, room) for floor, rooms in enumerate(FLOORS) for room in rooms]
    for _, floor, room in sorted(rooms, reverse=True):
        if module == room or module.startswith(room + "."):
            return floor, room
    raise AssertionError(f"{module} stands on no floor: give it one in FLOORS")


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "relative imports hide where a name comes from"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module: str) -> None:
    floor, room = room_of(module)
    for name in imports(ast.parse(MODULES[module].read_text())):
        if name.split(".")[0] in ("registry", "api") and name in MODULES:
            other_floor, other_room = room_of(name)
            assert other_room == room or other_floor > floor, f"{module} imports {name}, which is not below it"


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_stay_in_their_rooms(module: str) -> None:
    for name in imports(ast.parse(MODULES[module].read_text())):
        rooms = ONLY_IN.get(name.split(".")[0])
        if rooms:
            assert module.startswith(rooms), f"{module} imports {name}, which belongs to {rooms}"


@pytest.mark.parametrize("module", MODULES)
def test_no_import_hides_inside_a_function(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            hidden = [inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)]
            assert not hidden, f"{module} imports inside {node.name}, line {hidden}"


def test_there_are_no_cycles() -> None:
    graph = {
        module: {name for name in imports(ast.parse(path.read_text())) if name in MODULES and name != module}
        for module, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " > ".join((*trail, module))
        if module not in done:
            for name in sorted(graph[module]):
                visit(name, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_nothing_is_called_utils_or_helpers() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [name for name in MODULES if vague & set(name.split("."))]


@pytest.mark.parametrize("contract", sorted((ROOT / "contracts").glob("*/*.sol"), key=str), ids=lambda path: path.stem)
def test_the_core_contract_knows_nothing_of_the_periphery(contract: Path) -> None:
    if contract.stem == "DatasetRegistry":
        assert "AccessGrants" not in contract.read_text()
