"""A room is found by its files: the same names in every room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

ROOMS = sorted(path for path in (ROOT / "registry/rooms").iterdir() if (path / "__init__.py").exists())
GATEWAY_ROOMS = sorted((ROOT / "api/rooms").glob("*/__init__.py"))

REQUIRED = {"__init__", "messages", "events", "records", "matching", "errors", "protocol", "room", "service"}
"""What every room has."""
OPTIONAL = {"proof", "tables", "projection", "queries", "workers", "statements", "ownership"}
"""What a room may have, under this name alone."""
OWN = {
    "access": {"policies", "request_limits"},
    "datasets": {"acceptance", "head", "publication_tables", "publications"},
}
"""What one room has beside that. A name that a second room needs belongs to OPTIONAL."""
GATEWAY = {"__init__", "routes", "answers", "bodies"}
"""What a room may have in the gateway."""


def modules_of(room: Path) -> set[str]:
    return {path.stem for path in room.glob("*.py")}


def test_there_are_rooms() -> None:
    assert {room.name for room in ROOMS} >= {"access", "datasets"}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_has_the_files_that_every_room_has_and_no_other_names(room: Path) -> None:
    found, own = modules_of(room), OWN.get(room.name, set())
    assert REQUIRED - found == set(), "every room has these"
    assert found - REQUIRED - OPTIONAL - own == set(), "no other room has these names"
    assert own - found == set(), "these are gone: take them out of OWN"


def test_a_room_has_the_same_files_in_the_gateway() -> None:
    for package in GATEWAY_ROOMS:
        found = modules_of(package.parent)
        assert "routes" in found, package
        assert found - GATEWAY == set(), package
