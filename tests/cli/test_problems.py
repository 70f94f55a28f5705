"""With --json, a failure is one problem object (RFC 9457) on standard output; the line on standard error stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer.core
import typer.main

from registry.cli.app import application
from registry.cli.lazy import LazyGroup
from registry.keys.signer import Signer
from tests.cli.conftest import Run
from tests.fixtures.commands import Done

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ID = "ab" * 32


def problem_of(done: Done, code: int = 2) -> dict[str, Any]:
    """The one problem object of a failure, held against its line on standard error."""
    assert done.code == code, done
    assert done.out.count("\n") == 1, done
    problem: dict[str, Any] = json.loads(done.out)
    assert problem.keys() >= {"type", "title", "code", "detail", "hint", "exitCode"}
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["exitCode"] == code
    assert done.err.splitlines()[-1] == "error: " + " ".join(filter(None, (problem["detail"], problem["hint"])))
    return problem


def leaves() -> list[tuple[str, ...]]:
    """Every command with an option --json, by its words."""
    root = typer.main.get_command(application())
    assert isinstance(root, LazyGroup)
    found: list[tuple[str, ...]] = []
    todo: list[tuple[tuple[str, ...], Any]] = [((name,), root.load(name)) for name, _, _ in root.table]
    while todo:
        words, command = todo.pop()
        if any("--json" in parameter.opts for parameter in command.params):
            found.append(words)
        todo += [((*words, name), below) for name, below in getattr(command, "commands", {}).items()]
    return sorted(found)


@pytest.mark.parametrize("words", leaves(), ids=" ".join)
def test_every_command_answers_a_wrong_option_with_a_problem(tdr: Run, words: tuple[str, ...]) -> None:
    problem = problem_of(tdr(*words, "--json", "--no-such-option"))
    assert problem["code"] == "usage"
    assert "--no-such-option" in problem["detail"]
    assert f"tdr {' '.join(words)} --help" in problem["hint"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "0xffffffffff"), "unavailable"),
        (("show", "xyz"), "invalid-input"),
        (("history", ID), "unavailable"),
        (("list",), "unavailable"),
        (("find", "a" * 64), "unavailable"),
        (("receipt", "1f" * 16), "unavailable"),
        (("requests", ID), "unavailable"),
        (("access", ID, ADDRESS), "unavailable"),
        (("lineage", ID), "unavailable"),
        (("describe", ID), "unavailable"),
        (("export", ID), "unavailable"),
        (("certificate", ID), "unavailable"),
        (("verify", ".", "--bundle", "nosuch"), "invalid-input"),
        (("verify", ".", "--manifest", "nosuch"), "invalid-input"),
        (("watch", ".", "--dataset", "x"), "invalid-input"),
        (("register", "nosuch"), "unavailable"),
        (("register",), "invalid-input"),
        (("revise", ID, "nosuch"), "unavailable"),
        (("transfer", ID, ADDRESS, "--yes"), "unavailable"),
        (("transfer", ID, ADDRESS), "invalid-input"),
        (("withdraw", ID, "--yes"), "unavailable"),
        (("withdraw", ID), "invalid-input"),
        (("grant", ID, ADDRESS, "--rights", "fly", "--until", "1d"), "invalid-input"),
        (("grant", ID, ADDRESS, "--rights", "read", "--until", "1d"), "unavailable"),
        (("revoke", ID, ADDRESS), "unavailable"),
        (("request", ID, "--rights", "read", "--until", "1d"), "unavailable"),
        (("keys", "new", "../x"), "invalid-input"),
        (("keys", "new", "alice"), "conflict"),
        (("register", ".", "--key", "nosuch"), "not-found"),
        (("witness", "alarms", "--data", "nosuch"), "invalid-input"),
        (("nosuch",), "usage"),
        (("show",), "usage"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else value,
)
def test_failures_of_every_kind_are_problems(tdr: Run, key: Signer, words: tuple[str, ...], code: str) -> None:
    assert problem_of(tdr(*words, "--json"))["code"] == code


def test_a_problem_is_plain_text_whatever_was_given(tdr: Run, tmp_path: Path) -> None:
    done = tdr("verify", tmp_path / "\udcff\n\x1b[2J", "--manifest", tmp_path / "m", "--json")
    problem = problem_of(done)
    assert done.out.isprintable() or done.out.strip().isprintable()
    assert problem["detail"].isprintable()


def test_without_json_standard_output_stays_empty(tdr: Run) -> None:
    assert tdr("show", "xyz").out == ""
    assert tdr("find", "--", "--json").out == ""
