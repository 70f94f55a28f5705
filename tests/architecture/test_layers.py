"""The shape of the house: imports go down only, there are no cycles, and heavy libraries stay in their rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.architecture.sources import ROOT, files_of, name_of, tree_of

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
    ("registry.sdk.client", "registry.sdk.async_client"),
    ("registry.sdk.rooms",),
    ("registry.sdk.rooms.access",),
    ("registry.sdk.rooms.datasets", "registry.rooms.catalogue"),
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
    ("registry.evidence", "registry.sdk"),
    ("registry.rooms.protocol", "registry.rooms.deployment", "registry.artifacts"),
    ("registry.rooms.proof_adapter",),
    ("registry.index.position",),
    ("registry.manifest", "registry.notes", "registry.ethereum"),
    ("registry.base",),
    ("registry.rooms",),
)
"""From the top down. A module belongs to the floor and the room of its longest prefix."""

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
    """Return the file of each module of the project by the module's name."""
    return {
        name_of(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path
        for path in files_of("registry", "api")
    }


MODULES = modules()


@cache
def room_of(module: str) -> tuple[int, str]:
    """The floor's number (0 is the roof) and the room of a module."""
    rooms = [(len(room), floor, room) for floor, rooms in enumerate(FLOORS) for room in rooms]
    for _, floor, room in sorted(rooms, reverse=True):
        if module == room or module.startswith(room + "."):
            return floor, room
    raise AssertionError(f"{module} has no floor: add it to FLOORS")


@cache
def imports(module: str) -> Mapping[str, int]:
    """Return what a module imports, modules of the project by their full name, with a line that does so."""
    found: dict[str, int] = {}
    for node in ast.walk(tree_of(MODULES[module])):
        if isinstance(node, ast.Import):
            found |= {alias.name: node.lineno for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: relative imports hide where a name comes from"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found[inner if inner in MODULES else str(node.module)] = node.lineno
    return found


def test_every_room_has_floors_of_its_own() -> None:
    """Without them its modules would count as part of `registry.rooms`, the lowest floor."""
    placed = {room for floor in FLOORS for room in floor}
    for package in ("registry.rooms", "registry.sdk.rooms", "registry.cli.rooms"):
        modules = {module for module in MODULES if module.startswith(f"{package}.")}
        rooms = {f"{package}.{module.removeprefix(package)[1:].split('.')[0]}" for module in modules}
        missing = {room for room in rooms if any(module.startswith(f"{room}.") for module in modules)} - placed
        assert missing == set(), "add the room's packages and its offline modules to FLOORS, as those of `access` are"


def test_imports_go_down_only() -> None:
    upward = []
    for module in MODULES:
        floor, room = room_of(module)
        for name, line in imports(module).items():
            if name in MODULES:
                other_floor, other_room = room_of(name)
                if other_room != room and other_floor <= floor:
                    upward.append(f"{module}, line {line}, imports {name}, which is not below it")
    assert upward == []


def test_heavy_libraries_stay_in_their_rooms() -> None:
    outside = [
        f"{module}, line {line}, imports {name}, which belongs to {rooms}"
        for module in MODULES
        for name, line in imports(module).items()
        if (rooms := ONLY_IN.get(name.split(".")[0])) and not module.startswith(rooms)
    ]
    assert outside == []


def hidden_imports(tree: ast.AST) -> Iterator[int]:
    """Give the lines of imports inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom))


def test_no_import_hides_inside_a_function() -> None:
    hidden = [f"{module}, line {line}" for module, path in MODULES.items() for line in hidden_imports(tree_of(path))]
    assert hidden == []


def test_there_are_no_cycles() -> None:
    graph = {module: {name for name in imports(module) if name in MODULES and name != module} for module in MODULES}
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


def test_the_core_contract_knows_nothing_of_the_periphery() -> None:
    (core,) = (ROOT / "contracts").glob("*/DatasetRegistry.sol")
    assert "AccessGrants" not in core.read_text()
