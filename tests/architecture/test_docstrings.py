"""Docstrings are in the imperative, and their sections match the code."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache

from tests.architecture.sources import Function, definitions, files_of, name_of, tree_of

NO_VERBS = {
    *("The", "A", "An", "This", "That", "These", "Those", "Its", "Their", "Each", "Every", "All", "Any", "Both"),
    *("Some", "One", "No", "None", "Nothing", "Whether", "What", "Which", "Whose", "Who", "How", "When", "Where"),
    *("Why", "As", "At", "By", "For", "From", "If", "In", "Of", "On", "To", "With", "Only", "True", "False"),
    *("Within", "Without", "After", "Before", "Until", "While", "Unix", "Not", "It", "There", "Where"),
}
"""Words with which no sentence in the imperative begins."""
THIRD_PERSON = re.compile(r"[A-Z][a-z]*[^s\W]s")
"""Reads, Makes, Gives; and nouns in the plural. Pass and Process end otherwise."""
ENTRY = re.compile(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \([^)]*\))?:(?:\s|$)")
"""The line of a section that begins an entry: names, and perhaps a type in brackets."""
SECTIONS = ("Args", "Returns", "Raises", "Yields")


def faults() -> Iterator[str]:
    """Give each fault with its place."""
    for path in files_of("registry", "api", "scripts"):
        file = name_of(path)
        for name, node in definitions(tree_of(path)):
            text = ast.get_docstring(node)
            if text is None or any(part.startswith("_") for part in name.split(".")):
                continue
            for fault in faults_of(node, text):
                yield f"{file}:{node.lineno} {name}: {fault}"


def faults_of(node: Function | ast.ClassDef, text: str) -> Iterator[str]:
    """Yield the faults of the docstring of a function or a class."""
    if isinstance(node, Function) and not is_property(node):
        first = text.split(maxsplit=1)[0].strip(".,:;")
        if first in NO_VERBS or THIRD_PERSON.fullmatch(first) or not (first.isalpha() and first[0].isupper()):
            yield f"it begins with {first!r}, which is not a verb in the imperative"
    for title, lines in sections_of(text):
        if not "".join(lines).strip():
            yield f"the section {title} is empty"
        elif title == "Args":
            named = names_in(lines)
            expected, possible = arguments_of(node)
            if missing := expected - named:
                yield f"Args lacks {', '.join(sorted(missing))}"
            if unknown := named - expected - possible:
                yield f"Args names {', '.join(sorted(unknown))}, which is not there"


def is_property(node: Function) -> bool:
    """Return whether a function is read like a field: its docstring may be that of a field."""
    return any("property" in ast.unparse(one) or ".setter" in ast.unparse(one) for one in node.decorator_list)


def sections_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Give the title and the indented lines of each section of a docstring."""
    lines = inspect.cleandoc(text).splitlines()
    for number, line in enumerate(lines):
        if line.endswith(":") and line[:-1] in SECTIONS:
            inner = []
            for other in lines[number + 1 :]:
                if other and not other.startswith(" "):
                    break
                inner.append(other)
            yield line[:-1], inner


def names_in(lines: list[str]) -> set[str]:
    """Return the names that the entries of a section begin with."""
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    found = (ENTRY.match(line[indent:]) for line in lines)
    return {name.strip("* ") for match in found if match for name in match[1].split(",")}


def arguments_of(node: Function | ast.ClassDef) -> tuple[set[str], set[str]]:
    """Return what an Args section must name, and what it may name: fields of the classes that a class extends."""
    if isinstance(node, Function):
        return parameters_of(node), set()
    inherited = {name for base in node.bases for name in fields_of_bases().get(ast.unparse(base).split("[")[0], ())}
    for inner in node.body:
        if isinstance(inner, Function) and inner.name == "__init__":
            return parameters_of(inner) - inherited, inherited
    return fields_of(node), inherited | annotated_in(node)


def parameters_of(node: Function) -> set[str]:
    """Return the names of a function's parameters, without what Python itself passes."""
    given = node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return {one.arg for one in every} - {"self", "cls"}


def annotated_in(node: ast.ClassDef) -> set[str]:
    """Return all fields of a class: a docstring may name one that is not given when one is made."""
    fields = [inner.target for inner in node.body if isinstance(inner, ast.AnnAssign)]
    return {target.id for target in fields if isinstance(target, ast.Name)}


def fields_of(node: ast.ClassDef) -> set[str]:
    """Return the public fields of a dataclass or a model that are given when one is made."""
    found = set()
    for inner in node.body:
        if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            kind, value = ast.unparse(inner.annotation), ast.unparse(inner.value) if inner.value else ""
            if not (kind.startswith("ClassVar") or inner.target.id.startswith("_") or "init=False" in value):
                found.add(inner.target.id)
    return found


@cache
def fields_of_bases() -> Mapping[str, set[str]]:
    """Return the fields of every class of the project by its simple name, with those of what it extends."""
    own: dict[str, set[str]] = {}
    for path in files_of("registry", "api", "scripts"):
        for name, node in definitions(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                own.setdefault(name.split(".")[-1], set()).update(arguments_of_class(node))
    return own


def arguments_of_class(node: ast.ClassDef) -> set[str]:
    """Return the fields of a class and the parameters with which one is made."""
    made = [inner for inner in node.body if isinstance(inner, Function) and inner.name == "__init__"]
    return fields_of(node).union(*(parameters_of(one) for one in made))


def test_docstrings_are_in_the_imperative_and_their_sections_match_the_code() -> None:
    assert list(faults()) == []


def test_the_rules_find_what_they_are_for() -> None:
    """A test of tests: each fault is found once, and a docstring without any has none."""
    samples = {
        'def f(a):\n    """Return it."""': 0,
        'def f(a):\n    """The sum."""': 1,
        'def f(a):\n    """Reads it."""': 1,
        'def f(a):\n    """Ethereum\'s hash of it."""': 1,
        'def f(a):\n    """Process it.\n\n    Args:\n        a: One.\n    """': 0,
        'def f(a):\n    """Pass it on.\n\n    Args:\n        b: One.\n    """': 2,
        'def f(a):\n    """Pass it on.\n\n    Raises:\n    """': 1,
        'class C:\n    """A pair.\n\n    Args:\n        a: One.\n    """\n    a: int\n    b: int': 1,
        '@property\ndef f(self):\n    """Whether it holds."""': 0,
    }
    for source, count in samples.items():
        (_, node), *_ = definitions(ast.parse(source))
        assert len(list(faults_of(node, ast.get_docstring(node) or ""))) == count, source
