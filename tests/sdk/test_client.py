"""The client against servers with wrong answers: every one becomes one of the package's errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler

import pytest

from registry.base.errors import Conflict, ContractRefused, InvalidInput, NotFound, RegistryError, Unavailable
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.manifest import from_digests
from registry.rooms.datasets.messages import Withdrawal
from registry.sdk.client import Client
from registry.sdk.models.receipts import Receipt
from registry.sdk.models.result import Page
from registry.sdk.signing import Signed
from tests.cli.conftest import UNREACHABLE
from tests.fixtures.servers import serving
from tests.fixtures.waiting import let_others_run
from tests.sdk.described import AS_OF, row_of

ID = DatasetId(b"\xab" * 32)
ROOT = Bytes32(b"\x01" * 32)
RECEIPT = {"id": "r1", "action": "withdraw", "status": "accepted", "subject": {"kind": "dataset", "id": str(ID)}}
Serve = Callable[..., Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that returns these answers (status, body) in order, and then always the last one."""
    servers = ExitStack()

    def start(
        *answers: tuple[int, object],
        seen: list[tuple[str, str | None]] | None = None,
        pause: Callable[[float], None] = let_others_run,
    ) -> Client:
        waiting = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                if seen is not None:
                    seen.append((self.path, self.headers.get("idempotency-key")))
                status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *details: object) -> None:
                return None

        return Client(f"{servers.enter_context(serving(Handler))}/", sleep=pause)

    with servers:
        yield start


def problem(**fields: object) -> dict[str, object]:
    return {"type": "about:blank", "title": "t", "detail": "What was wrong.", **fields}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, problem(), NotFound),
        (409, problem(), Conflict),
        (400, problem(), InvalidInput),
        (422, problem(), InvalidInput),
        (413, problem(), InvalidInput),
        (429, problem(), Unavailable),
        (503, problem(), Unavailable),
        (500, problem(), Unavailable),
        (409, problem(error="HeadMismatch", values={"present": "0x01"}), ContractRefused),
        (404, b"<html>not found</html>", Unavailable),
        (404, {"error": "another service"}, Unavailable),
        (502, b"", Unavailable),
        (302, b"", Unavailable),
        (200, b"<html>hello</html>", Unavailable),
        (200, b"[]", Unavailable),
        (200, b"", Unavailable),
        (200, {"datasetId": "0x12"}, Unavailable),
    ],
)
def test_every_answer_amiss_becomes_an_error_of_its_kind(
    serve: Serve, status: int, body: object, kind: type[RegistryError]
) -> None:
    with serve((status, body)) as gateway, pytest.raises(RegistryError) as caught:
        gateway.datasets.state(ID)
    assert type(caught.value) is kind


def test_a_problem_keeps_its_words_fields_and_candidates(serve: Serve) -> None:
    body = problem(
        hint="Do this.",
        errors=[{"field": "body.message.contentRoot", "detail": "it is short"}],
        candidates=["0xaa", "0xab"],
    )
    with serve((422, body)) as gateway, pytest.raises(InvalidInput) as caught:
        gateway.datasets.state("abababab")
    assert str(caught.value) == (
        "What was wrong. body.message.contentRoot: it is short Do this. It may be: 0xaa, 0xab."
    )


def test_what_a_problem_says_twice_is_told_once(serve: Serve) -> None:
    body = problem(detail="query.limit: too large", errors=[{"field": "query.limit", "detail": "too large"}])
    with serve((422, body)) as gateway, pytest.raises(InvalidInput) as caught:
        gateway.datasets.state(ID)
    assert str(caught.value) == "query.limit: too large"


@pytest.mark.parametrize("asked", [str(ID), "0xababababab", "ABABABAB"])
def test_an_answer_about_another_dataset_is_not_taken(serve: Serve, asked: str) -> None:
    """An operator cannot redirect what an owner signs, or what a verifier checks."""
    fields = {"owner": "0x" + "12" * 20, "version": 1, "contentRoot": str(ROOT), "head": str(ROOT), "status": "active"}
    with serve((200, {"datasetId": str(ID), **fields})) as gateway:
        assert gateway.datasets.state(asked).dataset_id == ID
    with serve((200, {"datasetId": str(ROOT), **fields})) as gateway, pytest.raises(Unavailable, match="another"):
        gateway.datasets.state(asked)


def test_a_refusal_of_a_contract_keeps_its_name_and_values(serve: Serve) -> None:
    body = problem(error="HeadMismatch", values={"present": "0x01"})
    with serve((409, body)) as gateway, pytest.raises(ContractRefused) as caught:
        gateway.datasets.state(ID)
    assert (caught.value.name, caught.value.values) == ("HeadMismatch", {"present": "0x01"})


def test_a_write_without_an_answer_is_sent_again_under_the_same_key(serve: Serve) -> None:
    """R6: one idempotency key has one answer, so that a repeated write has one effect."""
    pauses: list[float] = []
    seen: list[tuple[str, str | None]] = []
    message = Withdrawal.parse({"datasetId": ID, "head": ROOT, "reason": "", "deadline": 2**40})
    with serve((503, problem()), (502, b""), (202, RECEIPT), seen=seen, pause=pauses.append) as gateway:
        receipt = gateway.send(Signed(message, bytes(65)))
    assert pauses == [0.5, 1.0]
    assert receipt.id == "r1"
    assert [path for path, _ in seen] == [f"/v1/datasets/{ID}/withdrawals"] * 3
    assert len({key for _, key in seen}) == 1
    assert seen[0][1]


def test_waiting_ends_with_the_receipt_that_is_mined(serve: Serve) -> None:
    told: list[str] = []
    pauses: list[float] = []
    mined = {**RECEIPT, "status": "mined", "transactionHash": str(ROOT), "blockNumber": 7}
    with serve((200, {**RECEIPT, "status": "sent"}), (503, problem()), (200, mined), pause=pauses.append) as gateway:
        receipt = gateway.wait(Receipt.model_validate(RECEIPT), progress=lambda now: told.append(now.status))
    assert (receipt.block_number, receipt.transaction_hash) == (7, ROOT)
    assert told == ["accepted", "sent", "sent", "mined"]
    assert pauses == [1.0]


def test_a_write_that_failed_says_why(serve: Serve) -> None:
    failure = {"error": "DatasetWithdrawn", "values": {"datasetId": str(ID)}, "detail": "It has been withdrawn."}
    failed = Receipt.model_validate({**RECEIPT, "status": "failed", "failure": failure})
    with serve((200, {})) as gateway, pytest.raises(ContractRefused, match="It has been withdrawn"):
        gateway.wait(failed)


def test_waiting_does_not_last_for_ever_and_says_where_to_ask(serve: Serve) -> None:
    with serve((200, RECEIPT)) as gateway, pytest.raises(Unavailable, match="tdr receipt r1"):
        gateway.wait(Receipt.model_validate(RECEIPT), seconds=0)


def test_a_manifest_of_another_root_is_not_taken(serve: Serve) -> None:
    other = from_digests({"a": ROOT}).to_json().encode()
    with serve((200, other)) as gateway, pytest.raises(Unavailable, match="another root"):
        gateway.datasets.manifest(ROOT)


def test_pages_are_followed_to_the_end_or_the_limit(serve: Serve) -> None:
    one, two, three = (row_of("/v1/datasets", version=number) for number in (1, 2, 3))
    pages = [(200, AS_OF | {"items": [one, two], "next": "c"}), (200, AS_OF | {"items": [three], "next": None})]
    with serve(*pages) as gateway:
        assert [item.version for item in gateway.datasets.list()] == [1, 2, 3]
    with serve(*pages) as gateway:
        assert [item.version for item in gateway.datasets.list(limit=2)] == [1, 2]


@pytest.mark.parametrize(
    ("ask", "path", "rows"),
    [
        (lambda gateway: gateway.datasets.versions(ID), "/v1/datasets/{dataset_id}/versions", "items"),
        (lambda gateway: gateway.datasets.history(ID), "/v1/datasets/{dataset_id}/history", "items"),
        (lambda gateway: gateway.access.grants(ID), "/v1/datasets/{dataset_id}/grants", "items"),
        (lambda gateway: gateway.access.requests(ID), "/v1/datasets/{dataset_id}/requests", "items"),
        (lambda gateway: gateway.datasets.claims(ROOT), "/v1/verify", "claims"),
    ],
)
def test_a_list_is_whole_whatever_its_pages(serve: Serve, ask: Callable[[Client], Page], path: str, rows: str) -> None:
    seen: list[tuple[str, str | None]] = []
    one, two, three = (row_of(path, rows, unknown=number) for number in (1, 2, 3))
    more = {} if rows == "items" else {"sha256": str(ROOT)}
    first = AS_OF | more | {rows: [one, two], "next": "7", "asOfBlock": 5}
    later = AS_OF | more | {rows: [three], "next": None, "asOfBlock": 6}
    with serve((200, first), (200, later), seen=seen) as gateway:
        whole = ask(gateway)
    assert whole.raw == first | {rows: [one, two, three], "next": None}
    assert (len(getattr(whole, rows)), whole.next, whole.as_of_block) == (3, None, 5)
    assert ["cursor=7" in path for path, _ in seen] == [False, True]


@pytest.mark.parametrize("body", [{}, {"items": 5, "claims": 5}, {"items": [5], "claims": [5]}])
@pytest.mark.parametrize(
    "ask",
    [
        lambda gateway: gateway.datasets.history(ID),
        lambda gateway: gateway.access.grants(ID),
        lambda gateway: gateway.datasets.claims(ROOT),
        lambda gateway: list(gateway.datasets.list()),
        lambda gateway: gateway.access.check(ID, Address(b"\x01" * 20)),
    ],
)
def test_an_answer_without_rows_is_not_taken(serve: Serve, ask: Callable[[Client], object], body: object) -> None:
    with serve((200, body)) as gateway, pytest.raises(Unavailable, match="invalid or unsupported"):
        ask(gateway)


@pytest.mark.parametrize("name", ["hint", "errors", "values", "candidates", "error"])
@pytest.mark.parametrize("value", [5, [1], {"a": 1}, "text"])
def test_a_problem_with_fields_amiss_is_told_all_the_same(serve: Serve, name: str, value: object) -> None:
    with serve((409, problem(**{"error": "HeadMismatch", name: value}))) as gateway, pytest.raises(RegistryError) as no:
        gateway.datasets.state(ID)
    assert no.value.message == "What was wrong."
    with serve((404, problem(**{name: value}))) as gateway, pytest.raises(RegistryError, match="What was wrong"):
        gateway.datasets.state(ID)


def test_a_cursor_that_repeats_is_not_followed_for_ever(serve: Serve) -> None:
    page = AS_OF | {"items": [], "next": "7"}
    with serve((200, page)) as gateway, pytest.raises(Unavailable, match="invalid or unsupported"):
        gateway.datasets.history(ID)
    with serve((200, page)) as gateway, pytest.raises(Unavailable, match="invalid or unsupported"):
        list(gateway.datasets.list())


def test_an_access_that_is_neither_yes_nor_no_is_no_answer(serve: Serve) -> None:
    with serve((200, {"allowed": "no"})) as gateway, pytest.raises(Unavailable):
        gateway.access.check(ID, Address(b"\x01" * 20))


def test_what_is_no_text_is_not_sent() -> None:
    with Client(UNREACHABLE) as gateway, pytest.raises(InvalidInput, match="UTF-8"):
        list(gateway.datasets.list(name="\udcff"))


def test_a_gateway_that_does_not_run_is_told_with_how_to_start_it() -> None:
    with Client(UNREACHABLE) as gateway, pytest.raises(Unavailable, match="tdr up"):
        gateway.health()


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "http://", "/v1"])
def test_what_is_no_gateways_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="http://"):
        Client(url)


def test_a_password_in_a_gateways_address_is_not_told() -> None:
    """R10: an error does not quote it."""
    with Client(UNREACHABLE.replace("://", "://me:secret@")) as gateway, pytest.raises(Unavailable) as caught:
        gateway.health()
    assert UNREACHABLE in str(caught.value)
    assert "secret" not in str(caught.value)
