"""A room is found by its files: the same names in every room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

ROOMS = sorted(path for path in (ROOT / "registry/rooms").iterdir() if (path / "__init__.py").exists())
GATEWAY_ROOMS = sorted(path for path in (ROOT / "api/rooms").iterdir() if (path / "__init__.py").exists())
SDK_ROOMS = sorted(path for path in (ROOT / "registry/sdk/rooms").iterdir() if (path / "__init__.py").exists())
CLI_ROOMS = sorted(path for path in (ROOT / "registry/cli/rooms").iterdir() if (path / "__init__.py").exists())

REQUIRED = {"__init__", "messages", "events", "records", "matching", "errors", "protocol", "room", "service"}
"""What every room has."""
OPTIONAL = {"proof", "tables", "projection", "queries", "workers", "statements", "ownership", "summary", "timers"}
"""What a room may have, under this name alone."""
OWN = {
    "access": {"grantees", "policies", "request_limits"},
    "datasets": {
        *("acceptance", "caip", "claims", "folded", "head", "hot", "lineage", "names", "publication_tables"),
        *("publications", "reads", "rows", "search"),
    },
}
"""The files that only one room has. A name that a second room needs belongs to OPTIONAL."""
GATEWAY = {"__init__", "answers", "bodies", "reads", "room", "routes", "shapes"}
"""What every room has in the gateway."""
GATEWAY_OWN = {
    "access": {"policy"},
    "datasets": {
        *("certificate", "claims", "contexts", "descriptions", "documents", "evidence", "lineage", "publications"),
        *("ids", "shortcut", "statements"),
    },
}
"""The routes of one room that have a file of their own."""
SDK = {"__init__", "client", "models", "operations"}
"""What every room has in the client."""


def modules_of(room: Path) -> set[str]:
    return {path.stem for path in room.glob("*.py")}


def test_there_are_rooms() -> None:
    assert {room.name for room in ROOMS} >= {"access", "datasets"}
    assert {room.name for room in SDK_ROOMS} == {room.name for room in ROOMS}
    assert {room.name for room in CLI_ROOMS} == {room.name for room in ROOMS}


def check(room: Path, required: set[str], optional: set[str], own: set[str]) -> None:
    """Compare the names of a room's files with those that it must have, and may have."""
    found = modules_of(room)
    assert required - found == set(), "every room has these"
    assert found - required - optional - own == set(), "no other room has these names"
    assert own - found == set(), "these are gone: take them out of the list of the room's own names"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_has_the_files_that_every_room_has_and_no_other_names(room: Path) -> None:
    check(room, REQUIRED, OPTIONAL, OWN.get(room.name, set()))


@pytest.mark.parametrize("room", GATEWAY_ROOMS, ids=lambda room: room.name)
def test_a_room_has_the_same_files_in_the_gateway(room: Path) -> None:
    check(room, GATEWAY, set(), GATEWAY_OWN.get(room.name, set()))


@pytest.mark.parametrize("room", SDK_ROOMS, ids=lambda room: room.name)
def test_a_room_has_the_same_files_in_the_client(room: Path) -> None:
    check(room, SDK, set(), set())


@pytest.mark.parametrize("room", CLI_ROOMS, ids=lambda room: room.name)
def test_a_room_lists_its_commands_in_one_file(room: Path) -> None:
    """The names of the modules with the commands are free."""
    assert modules_of(room) >= {"__init__", "commands"}
