"""Changes to bundles: one at each kind of place, and those that hide an event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from registry.base.primitives import Address
from tests.evidence.cases import Json

ADDRESS_DIGITS = 42
Change = Callable[[Any], object]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield every value other than objects and arrays, with its path."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    else:
        yield path, value


def objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every object."""
    if isinstance(value, dict):
        yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from objects(child, (*path, key))


def shape(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """A way with its indices left out: one kind of place."""
    return tuple(part if isinstance(part, str) else "*" for part in path)


def altered(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case None:
            return 0
        case list():
            return ["0x00"]
        case str() if value.startswith("0x") and len(value) > 2:
            middle = len(value) // 2
            other = f"{value[:middle]}{int(value[middle], 16) ^ 1:x}{value[middle + 1 :]}"
            return str(Address.parse(other.lower())) if len(value) == ADDRESS_DIGITS else other
        case str():
            return f"{value}x"
    raise TypeError(type(value).__name__)


def place(document: Any, path: tuple[str | int, ...]) -> tuple[Any, str | int]:
    """The object or array that holds a place, and the key of it there."""
    for part in path[:-1]:
        document = document[part]
    return document, path[-1]


def alterations(document: Json) -> Iterator[tuple[str, list[Json]]]:
    """One case for each kind of place altered, one for each key left out, and one for each unknown key."""
    seen: set[tuple[str, ...]] = set()
    for path, value in leaves(document):
        if shape(path) not in seen:
            seen.add(shape(path))
            yield f"{'/'.join(map(str, path))} altered", [{"at": list(path), "set": altered(value)}]
    seen.clear()
    for path in objects(document):
        if shape(path) in seen or path[:1] == ("content",) or "values" in path:
            continue
        seen.add(shape(path))
        holder: Any = document
        for part in path:
            holder = holder[part]
        yield f"{'/'.join(map(str, path)) or 'the bundle'} with an unknown key", [{"at": [*path, "note"], "set": "x"}]
        for key in holder:
            if not path or key in ("owner", "nodes", "signature", "hash", "epoch", "path", "keys", "DatasetRegistry"):
                yield f"{'/'.join(map(str, (*path, key)))} left out", [{"at": [*path, key], "delete": True}]


def differences(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> list[Json]:
    """The changes that lead from one document to another."""
    if isinstance(before, dict) and isinstance(after, dict):
        changes = [{"at": [*path, key], "delete": True} for key in before.keys() - after.keys()]
        for key, value in after.items():
            if key not in before:
                changes.append({"at": [*path, key], "set": value})
            else:
                changes += differences(before[key], value, (*path, key))
        return changes
    return [] if before == after else [{"at": list(path), "set": after}]


def drop_event(document: Json, index: int) -> None:
    """Leave out an event with its receipt and its message, to hide it."""
    event = document["record"]["events"].pop(index)
    document["receipts"] = [part for part in document["receipts"] if part["block"] != event["block"]]
    document["messages"] = [
        message | {"event": message["event"] - (message["event"] > index)}
        for message in document["messages"]
        if message["event"] != index
    ]


def hide_last(of: str, values: Json) -> Change:
    """Hide the last event of a name, and restore the record to the state before it."""

    def change(document: Json) -> None:
        names = [event["event"] for event in document["record"]["events"]]
        drop_event(document, len(names) - 1 - names[::-1].index(of))
        for path, value in values.items():
            holder, key = place(document, tuple(int(part) if part.isdigit() else part for part in path.split("/")))
            holder[key] = value

    return change
