"""The engines know `Room`, and no room's contract, message, event or table. There is no list of exceptions."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from registry.rooms.catalogue import ROOMS
from tests.architecture.sources import ROOT, name_of, tree_of

ENGINES = (
    "api",
    "registry/base",
    "registry/chain",
    "registry/checkpoints",
    "registry/cli",
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
    "registry/sdk",
    "registry/statements",
    "registry/storage",
    "registry/timers",
    "registry/witness",
)
FEATURES = (
    "registry/catalogue",
    "registry/certificate",
    "registry/evidence_export",
    "registry/lineage",
    "registry/verification",
)
"""These are about datasets and may import rooms. The names of a room's contract, messages and events are the room's."""
ROOM_FOLDERS = (
    "api/rooms",
    "api/verifier/rooms",
    "registry/cli/rooms",
    "registry/sdk/rooms",
    "registry/storage/migrations",
)
"""Inside an engine's folder, but not part of the engine. Migrations describe the past."""
TEXTS = ("api/verifier/texts.mjs", "registry/certificate/wording.py")
"""Texts for people, in which "Registered" is a word and not an event. These files hold nothing else."""

ROOM_IMPORT = re.compile(rf"(registry|api)\.(\w+\.)?rooms\.({'|'.join(room.name for room in ROOMS.rooms)})\b")
KNOWN = (
    *ROOMS.protocols.contracts,
    *ROOMS.protocols.messages,
    *(kind.__name__ for projection in ROOMS.projections for kind in projection.kinds),
)
NAMES = re.compile(rf"(?<!prov:)\b({'|'.join(KNOWN)})\b")
"""The names of all contracts, messages and events. PROV, the W3C's vocabulary, has a Revision of its own."""


def files_below(folders: Sequence[str], suffix: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob(f"*{suffix}"))
        if not name_of(path).startswith((*ROOM_FOLDERS, *TEXTS))
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


def test_an_engine_imports_no_room() -> None:
    assert [
        (name_of(path), text)
        for path in files_below(ENGINES, ".py")
        for text in spelled(tree_of(path))
        if ROOM_IMPORT.match(text)
    ] == []


def test_only_a_room_names_its_contracts_messages_and_events() -> None:
    assert [
        (name_of(path), text)
        for path in files_below((*ENGINES, *FEATURES), ".py")
        for text in spelled(tree_of(path))
        if NAMES.search(text)
    ] == []


def test_the_second_verifiers_engine_names_nothing_of_a_room() -> None:
    assert [
        (name_of(path), name) for path in files_below(ENGINES, ".mjs") for name in NAMES.findall(path.read_text())
    ] == []


def test_a_file_of_texts_computes_nothing() -> None:
    computing = (ast.Call, ast.Compare, ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.If, ast.JoinedStr)
    assert [
        (name, ast.unparse(node))
        for name in TEXTS
        if name.endswith(".py")
        for node in ast.walk(tree_of(ROOT / name))
        if isinstance(node, computing)
    ] == []


def test_the_names_are_those_that_the_rooms_have() -> None:
    assert NAMES.search("AccessGrant")
    assert not NAMES.search("Receipt")
