"""The steps of a verification: their numbers and titles, and what carries them out.

A step has the same number in both verifiers and in every report, whether or not a bundle holds something for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from registry.base.errors import InvalidInput, VerificationFailed


class Step(Enum):
    """A step of the verification. Each rests on those before it.

    Steps 6 to 8 need the state at the bundle's block. Where no node had it, the bundle says so, and what they would
    have shown is listed as not proven.
    """

    FORM = 1
    """The bundle is in its one form, and holds nothing that no step checks."""
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
    """The subject's slots in the state hold what the events add up to: none is missing at the end."""
    ACCESS = 8
    """The slots of each account beside the subject do as well; their contracts have the code of a release."""
    RECORD = 9
    """The record that the bundle states is the one that the events add up to."""
    SIGNATURES = 10
    """Each signed message leads to its event, and the authorised account signed it."""
    CONTENT = 11
    """The manifest, the files and the metadata have the hashes that the version has."""

    @property
    def number(self) -> int:
        """The step's number, from 1."""
        return self.value

    @property
    def title(self) -> str:
        """The step's title, one word; it is also the code of its sentence."""
        return self.name.lower()


class StepFailed(VerificationFailed):
    """A step of the verification failed; those after it were not carried out.

    Args:
        step: The step.
        error: What was wrong.
    """

    def __init__(self, step: Step, error: InvalidInput | VerificationFailed) -> None:
        super().__init__(f"Step {step.number} ({step.title}): {error.message}", hint=error.hint)
        self.step = step
        self.number = step.number
        self.title = step.title


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step that succeeded, or for which the bundle holds nothing.

    Args:
        step: The step.
        facts: The values in the sentence that says what it proves; None where it was not carried out.
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
    """Carries out the steps of one verification, and keeps what each established."""

    def __init__(self) -> None:
        self._facts: dict[Step, Mapping[str, Any]] = {}

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Carry out a step: a refusal within it names the step.

        Raises:
            StepFailed: Something in it was wrong.
        """
        try:
            yield
        except (InvalidInput, VerificationFailed) as error:
            raise StepFailed(step, error) from error

    def proven(self, step: Step, **facts: object) -> None:
        """Keep what a step established."""
        self._facts[step] = facts

    def results(self) -> tuple[StepResult, ...]:
        """Return all steps, the first first."""
        return tuple(StepResult(step, self._facts.get(step)) for step in Step)
