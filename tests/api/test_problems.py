"""Errors of the client, and errors of the gateway."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import problems
from registry.base.errors import Conflict, InvalidInput, NotFound, RegistryError
from registry.chain.client import ChainUnavailable, RpcError, WrongChain


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("No."), 422),
        (NotFound("No."), 404),
        (Conflict("No."), 409),
        (ChainUnavailable("No."), 503),
        (RpcError(-32000, "no"), 503),
        (WrongChain("No."), 503),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_the_status_of_whose_fault_it_is(error: RegistryError, status: int) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert ("retry-after" in answer.headers) == (status == 503)
