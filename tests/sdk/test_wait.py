"""Retries and waiting as conversations, with a clock and a sleep of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from registry.base.errors import Conflict, ContractRefused, InvalidInput, NotFound, RegistryError, Unavailable
from registry.sdk.exchange import Conversation, Pause, Request, Response, ask_again, ask_if_found
from registry.sdk.models.receipts import Receipt
from registry.sdk.operations import node, receipts
from registry.sdk.rooms.datasets import operations as datasets
from registry.sdk.wait import until_done
from tests.sdk.described import BLOCK, answer_of

RECEIPT = {"id": "r1", "action": "register", "status": "accepted", "subject": {"kind": "dataset", "id": BLOCK}}
LOST = Unavailable("No answer.")


class Played:
    """A conversation with a gateway whose answers are written beforehand.

    Args:
        answers: What comes of each request: a JSON document or an error; the last one for ever.
        seconds_per_request: How far the clock goes on with each request.
    """

    def __init__(self, *answers: dict[str, Any] | RegistryError, seconds_per_request: float = 0.0) -> None:
        self.now = 1000.0
        self.requests: list[Request] = []
        self.pauses: list[float] = []
        self._answers = list(answers)
        self._seconds = seconds_per_request

    def clock(self) -> float:
        return self.now

    def run(self, conversation: Conversation[Any]) -> Any:
        came: Response | RegistryError | None = None
        while True:
            try:
                step = conversation.throw(came) if isinstance(came, RegistryError) else conversation.send(came)
            except StopIteration as end:
                return end.value
            came = self._carry_out(step)

    def _carry_out(self, step: Request | Pause) -> Response | RegistryError | None:
        if isinstance(step, Pause):
            self.pauses.append(step.seconds)
            self.now += step.seconds
            return None
        self.requests.append(step)
        self.now += self._seconds
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer if isinstance(answer, RegistryError) else Response(json.dumps(answer).encode())


def waiting(
    played: Played, receipt: dict[str, Any], *, until_final: bool = False, seconds: float = 600.0, **more: Any
) -> Conversation[Receipt]:
    progress: Callable[[Receipt], None] | None = more.get("progress")
    return until_done(
        Receipt.model_validate(receipt),
        until_final=until_final,
        seconds=seconds,
        clock=played.clock,
        progress=progress,
    )


def test_a_request_is_repeated_with_growing_pauses_until_an_answer_comes() -> None:
    played = Played(LOST, {}, LOST, LOST, answer_of("/v1/health"))
    assert played.run(ask_again(node.health())).status == "ready"
    assert played.pauses == [0.5, 1.0, 2.0, 4.0]
    assert len(set(map(id, played.requests))) == 1


def test_after_five_attempts_the_last_error_is_raised() -> None:
    played = Played(LOST)
    with pytest.raises(Unavailable, match="No answer"):
        played.run(ask_again(node.health()))
    assert len(played.requests) == 5
    assert played.pauses == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("error", [InvalidInput("no"), Conflict("no"), NotFound("no"), ContractRefused("E", {}, "no")])
def test_what_the_gateway_refuses_is_not_repeated(error: RegistryError) -> None:
    played = Played(error)
    with pytest.raises(type(error)):
        played.run(ask_again(node.health()))
    assert (len(played.requests), played.pauses) == (1, [])


def test_only_a_document_that_is_not_there_is_none() -> None:
    operation = datasets.metadata(Receipt.model_validate(RECEIPT).subject.id)
    assert Played(NotFound("no")).run(ask_if_found(operation)) is None
    assert Played({"name": "n"}).run(ask_if_found(operation)) == {"name": "n"}
    with pytest.raises(Unavailable):
        Played(LOST).run(ask_if_found(operation))


def test_waiting_asks_until_the_write_is_mined() -> None:
    told: list[str] = []
    played = Played({**RECEIPT, "status": "sent"}, {**RECEIPT, "status": "mined", "blockNumber": 7})
    receipt = played.run(waiting(played, RECEIPT, progress=lambda now: told.append(now.status)))
    assert (receipt.status, receipt.block_number) == ("mined", 7)
    assert told == ["accepted", "sent", "mined"]
    assert [request.query for request in played.requests] == [{"wait": "25"}] * 2


def test_waiting_until_final_goes_on_after_the_write_is_mined() -> None:
    played = Played({**RECEIPT, "status": "mined"}, {**RECEIPT, "status": "final"})
    assert played.run(waiting(played, RECEIPT, until_final=True)).status == "final"
    assert played.requests[0].query == {"wait": "25", "until": "final"}


def test_waiting_ends_when_the_time_is_over_and_never_asks_the_gateway_to_wait_longer() -> None:
    played = Played(RECEIPT, seconds_per_request=24.5)
    with pytest.raises(Unavailable, match=r"After 60 s the write r1 is still 'accepted'.*tdr receipt r1"):
        played.run(waiting(played, RECEIPT, seconds=60))
    assert [request.query["wait"] for request in played.requests] == ["25", "25", "11"]


def test_while_waiting_lost_answers_are_asked_for_again_until_the_time_is_over() -> None:
    played = Played(LOST, RECEIPT, LOST)
    with pytest.raises(Unavailable, match="No answer"):
        played.run(waiting(played, RECEIPT, seconds=5.5))
    assert played.pauses == [1.0] * 5


@pytest.mark.parametrize(
    ("failure", "kind", "message"),
    [
        (
            {"error": "DatasetWithdrawn", "values": {"datasetId": BLOCK}, "detail": "Withdrawn."},
            ContractRefused,
            "With",
        ),
        ({"detail": "It was replaced."}, Conflict, "replaced"),
        (None, Conflict, "The write r1 failed. Its receipt gives no reason."),
    ],
)
def test_a_write_that_failed_raises_the_reason(
    failure: dict[str, Any] | None, kind: type[RegistryError], message: str
) -> None:
    played = Played({**RECEIPT, "status": "failed", "failure": failure})
    with pytest.raises(kind, match=message):
        played.run(waiting(played, RECEIPT))


def test_the_timeout_of_a_receipt_is_longer_than_the_gateway_waits() -> None:
    assert receipts.receipt("r1", wait=30).request.timeout == 40.0
