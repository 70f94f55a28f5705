"""The judgement of the run on a paid network is not blind: what is wrong with a refusal is seen."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scripts.strangers.burning import outcome

SENT = 3600.0 * 500_000 + 3000
BUDGET = "The hourly budget of 4000 gas for the account 0x11 does not cover this message."


def answer(
    status: int = 429,
    *,
    media: str = "application/problem+json",
    wait: str = "600",
    said: int | None = None,
    **changed: Any,
) -> Any:
    problem = {"type": "/problems/limit-reached", "status": said or status, "detail": BUDGET} | changed
    return httpx.Response(status, json=problem, headers={"content-type": media, "retry-after": wait})


def test_refusals_as_documented_are_told_by_their_kind() -> None:
    assert outcome(httpx.Response(202), SENT, SENT) == "202"
    assert outcome(answer(), SENT, SENT + 0.5) == "429 budget of an account"
    many = "The hourly budget of 4000 gas for accounts that have not owned a dataset for 24 hours does not cover it."
    assert outcome(answer(detail=many), SENT, SENT) == "429 budget of newcomers"
    assert outcome(answer(409, type="/problems/head-mismatch", detail="Moved on."), SENT, SENT) == "409 head-mismatch"


def test_the_end_of_the_hour_may_be_that_of_the_moment_of_sending_or_of_the_answer() -> None:
    before, after = SENT + 599.9, SENT + 600.1
    assert outcome(answer(wait="1"), before, after) == outcome(answer(wait="3600"), before, after)


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(429, text="no problem"),
        httpx.Response(500, json=["no problem"]),
        answer(media="application/json"),
        answer(said=503),
        answer(503),
        answer(wait=""),
        answer(wait="60"),
        answer(wait="3600"),
    ],
)
def test_other_refusals_are_wrong(refusal: httpx.Response) -> None:
    assert outcome(refusal, SENT, SENT + 0.5).startswith("wrong")
