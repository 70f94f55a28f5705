"""The limits on the costs of an open gateway, over HTTP and in the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from registry.base.errors import LimitReached
from registry.config import Settings
from registry.node.assembly import relay_settings
from registry.relay.budgets import GasBudgets, worst_fee
from registry.relay.fees import Fees
from registry.relay.terms import Terms
from registry.sdk.client import Client
from registry.sdk.signing import Signed
from tests.api.world import OWNER, Gateway, open_node, running

DEPLOY = Path(__file__).parents[2] / "docs/deploy.md"
PRICE = Fees(10**10, 10**9)


@pytest.fixture
def frugal(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that may spend gas for one registration an hour, and whose clock is at ten minutes to the next."""
    with open_node(tmp_path, start=False) as node, running(node) as gateway:
        terms = Terms(lambda: PRICE, False, GasBudgets(300_000, 10**9, 10**9, 10**9))
        node.clock = lambda: 3600.0 * 500_000 + 3000
        node.receiver = replace(node.receiver, terms=terms, clock=node.clock)
        yield gateway


def test_beyond_the_budget_it_says_when_and_how_else(frugal: Gateway) -> None:
    assert frugal.send(frugal.registration()).status_code == 202
    answer = frugal.send(frugal.registration())
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (429, "/problems/limit-reached")
    assert answer.headers["retry-after"] == "600"
    assert (
        f"call register of the DatasetRegistry at {frugal.deployment.address_of('DatasetRegistry')}" in problem["hint"]
    )


def test_the_client_does_not_try_again_in_vain(frugal: Gateway) -> None:
    assert frugal.send(frugal.registration()).status_code == 202
    message = frugal.registration()
    signature = bytes.fromhex(frugal.signature(message, OWNER)[2:])
    with Client(str(frugal.http.base_url)) as client, pytest.raises(LimitReached, match="budget") as caught:
        client.send(Signed(message, signature))
    assert caught.value.retry_after == 600


def test_the_stated_worst_case_is_that_of_the_default_settings() -> None:
    text = " ".join(DEPLOY.read_text().split())
    stated = re.search(r"by default ([\d,]+) gas and (\d+) ether an hour", text)
    assert stated is not None
    gas, ether = int(stated[1].replace(",", "")), int(stated[2])
    defaults = Settings()
    assert defaults.gas_per_hour == gas
    assert ether * 10**18 == gas * int(defaults.max_fee_gwei) * 10**9
    budgets = GasBudgets(defaults.gas_per_hour, *[defaults.gas_per_hour] * 3)
    assert worst_fee(budgets, relay_settings(defaults).maximum_fee) == ether * 10**18
    for name in ("gas_per_hour", "gas_per_account", "gas_per_dataset", "gas_for_newcomers"):
        assert f"`TDR_{name.upper()}` | {getattr(defaults, name):,} |" in text
    assert f"`TDR_MAX_FEE_GWEI` | {defaults.max_fee_gwei:g} |" in text


def test_only_networks_have_terms(tmp_path: Path) -> None:
    """The embedded chain's ether is worth nothing."""
    with open_node(tmp_path, start=False) as node:
        assert node.terms is None
