"""Generate faults: for every place in a Solidity file, plausible mistakes of a programmer.

Places come from the compiler's syntax tree, so comments, types and strings are not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Node = Mapping[str, Any]

NOTHING: Final = "0"
"""An expression statement without effect: Solidity has no empty statement."""
_PAIRS: Final = (("<", "<="), (">", ">="), ("==", "!="), ("&&", "||"), ("+", "-"), ("*", "/"), ("<<", ">>"), ("&", "|"))
SWAPPED: Final[Mapping[str, str]] = dict(_PAIRS) | {second: first for first, second in _PAIRS}
LOGICAL: Final = frozenset({"&&", "||"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Args:
        file: The path of the file, relative to the repository.
        line: The line, from 1.
        operator: The kind of fault, in a word or two.
        start: The first byte that it replaces.
        end: The offset after the last byte that it replaces.
        before: The text that it replaces.
        after: The text in its place.
    """

    file: str
    line: int
    operator: str
    start: int
    end: int
    before: str
    after: str

    def applied(self, source: str) -> str:
        """Return the file's text with the fault."""
        encoded = source.encode()
        return (encoded[: self.start] + self.after.encode() + encoded[self.end :]).decode()

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.file}:{self.line}  {self.operator}: {before}  ->  {after or '(nothing)'}"


def mutants_of(file: str, source: str, tree: Node) -> list[Mutant]:
    """Return every mutant of a file, in the order of its text.

    Args:
        file: Its path.
        source: Its text.
        tree: The compiler's syntax tree of it.
    """
    encoded = source.encode()
    found = set()
    for operator, (start, end), after in _faults(tree, encoded):
        before = encoded[start:end].decode()
        if before != after:
            found.add(Mutant(file, encoded[:start].count(b"\n") + 1, operator, start, end, before, after))
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.after))


def given_mutant(file: str, source: str, before: str, after: str) -> Mutant:
    """Return the mutant that replaces a text, which must be in the file exactly once.

    Raises:
        ValueError: It is not there exactly once.
    """
    if source.count(before) != 1:
        raise ValueError(f"{file} has this text {source.count(before)} times, not once: {before!r}")
    start = len(source[: source.index(before)].encode())
    line = source[: source.index(before)].count("\n") + 1
    return Mutant(file, line, "given", start, start + len(before.encode()), before, after)


def _faults(tree: Node, source: bytes) -> Iterator[tuple[str, tuple[int, int], str]]:
    for node in _nodes(tree):
        match node["nodeType"]:
            case "IfStatement":
                yield "condition", _place(node["condition"]), "false"
                if not _only_reverts(node["trueBody"]):
                    yield "condition", _place(node["condition"]), "true"
            case "BinaryOperation":
                yield from _binary(node, source)
            case "ExpressionStatement" | "EmitStatement":
                yield "statement", _place(node), NOTHING
            case "Conditional":
                yield "condition", _place(node["condition"]), "true"
                yield "condition", _place(node["condition"]), "false"
            case "UnaryOperation" if node["prefix"] and node["operator"] in ("!", "++", "--"):
                yield "operator", _place(node), _text(node["subExpression"], source)
            case "ModifierInvocation" if node.get("kind") == "modifierInvocation":
                yield "modifier", _place(node), ""
            case "Literal":
                yield from _literal(node)


def _literal(node: Node) -> Iterator[tuple[str, tuple[int, int], str]]:
    if node["kind"] == "bool":
        yield "literal", _place(node), "false" if node["value"] == "true" else "true"
    elif node["kind"] == "number" and "e" not in node["value"]:
        yield "literal", _place(node), str(int(node["value"], 0) + 1)


def _binary(node: Node, source: bytes) -> Iterator[tuple[str, tuple[int, int], str]]:
    left, right = node["leftExpression"], node["rightExpression"]
    operator = node["operator"]
    if operator in SWAPPED:
        between = (_place(left)[1], _place(right)[0])
        text = source[between[0] : between[1]].decode()
        yield "operator", between, text.replace(operator, SWAPPED[operator], 1)
    if operator in LOGICAL:
        yield "operand", _place(node), _text(left, source)
        yield "operand", _place(node), _text(right, source)


def _nodes(tree: object) -> Iterator[Node]:
    if isinstance(tree, Mapping):
        if tree.get("nodeType") in ("ArrayTypeName", "StructDefinition", "PragmaDirective"):
            return
        if "nodeType" in tree:
            yield tree
        for child in tree.values():
            yield from _nodes(child)
    elif isinstance(tree, list):
        for child in tree:
            yield from _nodes(child)


def _only_reverts(body: Node) -> bool:
    statements = body["statements"] if body["nodeType"] == "Block" else [body]
    return all(statement["nodeType"] == "RevertStatement" for statement in statements)


def _place(node: Node) -> tuple[int, int]:
    start, length, _ = (int(part) for part in node["src"].split(":"))
    return start, start + length


def _text(node: Node, source: bytes) -> str:
    start, end = _place(node)
    return source[start:end].decode()
