"""Answer who may use a dataset, from its evidence only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.base.errors import InvalidInput, NotFound
from registry.base.primitives import Address
from registry.base.times import time_text
from registry.cli import output, people
from registry.cli.rooms.datasets import ids
from registry.cli.times import show_time
from registry.evidence.verify import Verified
from registry.rooms.access.records import AccessState
from registry.verification import grantees
from registry.verification.bundle import summary_of, verify_bundle
from registry.verification.report import Report
from registry.verification.trust import TrustOptions, read_bytes


@dataclass(frozen=True, slots=True)
class Question:
    """A question about access in a bundle.

    Args:
        dataset: The dataset's id or a prefix of it; None means any dataset.
        grantee: The account; None means all accounts.
        moment: The time in question, Unix seconds, UTC.
    """

    dataset: str | None
    grantee: Address | None
    moment: int


def question(first: str | None, second: str | None, keys: Path, moment: int) -> Question:
    """Return the question in the arguments of the command: a dataset and an account, or only one of them.

    Args:
        first: The dataset if an account is given too; otherwise the account, or None.
        second: The account, or None.
        keys: The folder of keys, whose names may be given for accounts.
        moment: The time in question, Unix seconds, UTC.

    Raises:
        InvalidInput: An argument is neither a dataset id nor an account.
    """
    dataset, account = (None, first) if second is None else (first, second)
    return Question(
        None if dataset is None else ids.id_text(dataset),
        None if account is None else people.address_of(account, keys),
        moment,
    )


def answer(file: Path, trust: TrustOptions, asked: Question, now: int, *, as_json: bool) -> int:
    """Verify a bundle and print the access that it shows.

    Args:
        file: The bundle, or a certificate with it.
        trust: How the auditor decides that blocks belong to the chain.
        asked: The question.
        now: The current time, Unix seconds, UTC.
        as_json: Whether to print JSON.

    Returns:
        The exit code: 1 if the bundle is refused or the account is not allowed, else 0.

    Raises:
        NotFound: The bundle does not show the account's access.
        InvalidInput: The bundle is of another dataset, or cannot be read.
    """
    report = verify_bundle(read_bytes(file), trust, Report())
    verified = report.evidence
    if verified is None:
        if as_json:
            output.print_json(report.to_json())
        else:
            output.print_line(report.headline)
            output.print_line(f"  {output.plain(report.refused)}")
        return 1
    if asked.dataset is not None and not str(verified.dataset_id).startswith(asked.dataset):
        raise InvalidInput(f"The bundle is of the dataset {verified.dataset_id}, not of {asked.dataset}.")
    allowed, document, lines = _told(verified, asked, now)
    if as_json:
        output.print_json(_document(verified, document, report.not_proven))
    else:
        _print(verified, lines, report.not_proven)
    return 0 if allowed else 1


def _document(verified: Verified, answered: Mapping[str, object], not_proven: Sequence[str]) -> dict[str, object]:
    """Return an answer as a JSON object, with the state of the dataset."""
    block, summary = verified.record.block, summary_of(verified)
    return {
        "datasetId": str(verified.dataset_id),
        "datasetStatus": summary.status,
        "withdrawnAt": None if summary.withdrawn_at is None else show_time(summary.withdrawn_at),
        **answered,
        "asOfBlock": block.number,
        "asOfBlockHash": str(block.hash),
        "asOf": show_time(block.time),
        "notProven": list(not_proven),
    }


def _print(verified: Verified, lines: Sequence[str], not_proven: Sequence[str]) -> None:
    """Print an answer for people, with the state of the dataset."""
    block, withdrawn_at = verified.record.block, summary_of(verified).withdrawn_at
    for line in lines:
        output.print_line(output.plain(line))
    output.print_line(f"As of block {block.number}, {time_text(block.time)}.")
    if withdrawn_at is not None:
        output.print_line(f"The dataset was withdrawn, {time_text(withdrawn_at)}. This does not end grants.")
    output.print_line()
    output.print_line("NOT PROVEN")
    for line in not_proven:
        output.print_line(f"  - {output.plain(line)}")


def _told(verified: Verified, asked: Question, now: int) -> tuple[bool, dict[str, object], list[str]]:
    """Return whether access is allowed, and the answer as JSON and as lines."""
    if asked.grantee is None:
        lines = list(grantees.lines(verified, now)) or ["The bundle does not show any access."]
        return True, {"access": grantees.to_json(verified, now)}, lines
    access = grantees.at(verified, asked.grantee, asked.moment)
    if access is None:
        raise NotFound(
            f"The bundle does not show the access of {asked.grantee}.",
            hint=f"This does not mean that there is none. Ask for a bundle that shows it: --grantee {asked.grantee}.",
        )
    allowed = access.state is AccessState.ACTIVE
    document: dict[str, object] = {
        "grantee": str(access.grantee),
        "allowed": allowed,
        "reason": str(access.state),
        **grantees.term_json(access),
        "at": show_time(asked.moment),
    }
    verdict = "ALLOWED" if allowed else "NOT ALLOWED"
    return (
        allowed,
        document,
        [
            f"{verdict} at {time_text(asked.moment)}, if nothing changed after the bundle's block",
            f"{access.grantee}: {grantees.WORDS[access.state]}{grantees.term_text(access)}",
        ],
    )
