"""The engines know `Room`, and no room's contract, message, event or table. There is no list of exceptions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from registry.rooms.catalogue import ROOMS
from tests.architecture.sources import ROOT, tree_of

ENGINES = (
    "api",
    "registry/base",
    "registry/chain",
    "registry/checkpoints",
    "registry/devchain",
    "registry/documents",
    "registry/ethereum",
    "registry/evidence",
    "registry/feed",
    "registry/index",
    "registry/keys",
    "registry/manifest",
    "registry/node",
    "registry/notes",
    "registry/relay",
    "registry/statements",
    "registry/storage",
    "registry/timers",
    "registry/witness",
)
ROOM_FOLDERS = ("api/rooms", "api/verifier/rooms", "registry/storage/migrations", "api/verifier/texts.mjs")
"""Inside an engine's folder, but no part of the engine. Migrations tell of the past; the page's texts are words."""

ROOM_IMPORT = re.compile(rf"(registry|api)\.rooms\.({'|'.join(room.name for room in ROOMS.rooms)})\b")
KNOWN = (
    *ROOMS.protocols.contracts,
    *ROOMS.protocols.messages,
    *(kind.__name__ for projection in ROOMS.projections for kind in projection.kinds),
)
NAMES = re.compile(rf"\b({'|'.join(KNOWN)})\b")
"""The names of all contracts, messages and events."""


def files_of_engines(suffix: str) -> list[Path]:
    return [
        path
        for folder in ENGINES
        for path in sorted((ROOT / folder).rglob(f"*{suffix}"))
        if not path.relative_to(ROOT).as_posix().startswith(ROOM_FOLDERS)
    ]


def spelled(tree: ast.AST) -> list[str]:
    """Return the names and texts in code, without docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found.append(node.value)
        elif isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            found.append(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
    return found


def test_an_engine_imports_no_room_and_names_nothing_of_one() -> None:
    assert [
        (path.relative_to(ROOT).as_posix(), text)
        for path in files_of_engines(".py")
        for text in spelled(tree_of(path))
        if ROOM_IMPORT.match(text) or NAMES.search(text)
    ] == []


def test_the_second_verifiers_engine_names_nothing_of_a_room() -> None:
    assert [
        (path.relative_to(ROOT).as_posix(), name)
        for path in files_of_engines(".mjs")
        for name in NAMES.findall(path.read_text())
    ] == []


def test_the_names_are_those_that_the_rooms_have() -> None:
    assert NAMES.search("AccessGrant")
    assert not NAMES.search("Receipt")
