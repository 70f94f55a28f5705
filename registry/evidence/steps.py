"""The steps of a verification: their numbers and titles, and their execution.

A step has the same number in both verifiers and in every report, also if a bundle has no data for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from registry.base.errors import InvalidInput, VerificationFailed


class Step(Enum):
    """A step of the verification. Each step relies on the steps before it.

    Steps 6 to 8 need the state at the bundle's block. If no node had it, the bundle says so, and the report lists the
    facts of these steps as not proven.
    """

    FORM = 1
    """The bundle is in canonical form, and has no data that is not checked by a step."""
    BLOCKS = 2
    """Every header's hash is recomputed; within a run each header is the parent of the next."""
    TRUST = 3
    """The last block of each run is vouched for; the contracts have the addresses that the auditor knows."""
    RECEIPTS = 4
    """Each receipt is in its block."""
    HISTORY = 5
    """The events follow one another from the registration on; none is missing in between."""
    CONTRACTS = 6
    """The subject's contract has the code of a release, made for this chain and these addresses."""
    HEAD = 7
    """The subject's slots have the values that the events fold to, so none is missing at the end."""
    ACCESS = 8
    """So do the slots of each other account shown; their contracts have the code of a release."""
    RECORD = 9
    """The record in the bundle is the one that the events fold to."""
    SIGNATURES = 10
    """Each signed message leads to its event, and the authorised account signed it."""
    CONTENT = 11
    """The manifest, the files and the metadata have the hashes of the version."""

    @property
    def number(self) -> int:
        """The step's number, from 1."""
        return self.value

    @property
    def title(self) -> str:
        """The step's title, one word; it is also the code of its sentence."""
        return self.name.lower()


class StepFailed(VerificationFailed):
    """The error raised when a step of the verification fails; later steps are not carried out.

    Args:
        step: The step.
        error: The error.
    """

    def __init__(self, step: Step, error: InvalidInput | VerificationFailed) -> None:
        super().__init__(f"Step {step.number} ({step.title}): {error.message}", hint=error.hint)
        self.step = step
        self.number = step.number
        self.title = step.title


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step that succeeded or was not carried out.

    Args:
        step: The step.
        facts: The values in the sentence for what it proves; None if it was not carried out.
    """

    step: Step
    facts: Mapping[str, Any] | None

    @property
    def number(self) -> int:
        """The step's number, from 1."""
        return self.step.number

    @property
    def title(self) -> str:
        """The step's title."""
        return self.step.title


class Run:
    """One run of a verification, which records the facts of each step."""

    def __init__(self) -> None:
        self._facts: dict[Step, Mapping[str, Any]] = {}

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Carry out a step. Errors raised within it are attributed to the step.

        Raises:
            StepFailed: The step failed.
        """
        try:
            yield
        except (InvalidInput, VerificationFailed) as error:
            raise StepFailed(step, error) from error

    def proven(self, step: Step, **facts: object) -> None:
        """Record the facts of a step."""
        self._facts[step] = facts

    def results(self) -> tuple[StepResult, ...]:
        """Return the results of all steps in order."""
        return tuple(StepResult(step, self._facts.get(step)) for step in Step)
