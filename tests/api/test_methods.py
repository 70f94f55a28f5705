"""Every path answers HEAD as GET without its body, and says all methods that it has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.world import Gateway

DESCRIPTION = Path(__file__).parents[2] / "docs/openapi.json"


def paths() -> dict[str, set[str]]:
    """The methods of every path, by the committed description."""
    described = json.loads(DESCRIPTION.read_text())["paths"]
    return {path: {method.upper() for method in methods} for path, methods in described.items()}


def filled(path: str, dataset_id: str) -> str:
    values = {
        "dataset_id": dataset_id,
        "root": "0x" + "11" * 32,
        "metadata_hash": "0x" + "11" * 32,
        "address": "0x" + "11" * 20,
        "receipt_id": "11" * 16,
        "slug": "conflict",
        "height": "1",
        "digest": "11" * 32,
    }
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    return path


@pytest.fixture(scope="module")
def dataset_id(gateway: Gateway) -> str:
    return str(gateway.register())


@pytest.mark.parametrize("path", [path for path, methods in paths().items() if "GET" in methods])
def test_head_is_get_without_a_body(gateway: Gateway, dataset_id: str, path: str) -> None:
    place = filled(path, dataset_id)
    got, head = gateway.http.get(place), gateway.http.head(place)
    assert (head.status_code, head.content) == (got.status_code, b"")
    changing = {"date", "x-request-id", "content-length", "content-disposition", "tdr-as-of-block"}
    assert {k: v for k, v in head.headers.items() if k not in changing} == {
        k: v for k, v in got.headers.items() if k not in changing
    }


@pytest.mark.parametrize("path", paths())
def test_allow_names_every_method_of_a_path(gateway: Gateway, path: str) -> None:
    answer = gateway.http.request("TRACE", filled(path, "0x" + "12" * 32))
    assert answer.status_code == 405
    methods = paths()[path]
    assert set(answer.headers["allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set())
