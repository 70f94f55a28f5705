"""Deadlines by the chain's time, and a machine whose clock is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from registry.base.errors import Conflict
from registry.cli.clock import compare
from registry.devchain.embedded import EmbeddedChain
from registry.keys.signer import Signer
from registry.relay.signing import Signer as Relayer
from registry.relay.tables import RECEIPTS
from tests.api.world import ANALYST, RELAYER_SECRET, Gateway, open_node, running
from tests.cli.conftest import Run
from tests.fixtures.commands import refused
from tests.fixtures.waiting import eventually

NOW = 1_800_000_000  # `date -u -d @1800000000`: 2027-01-15 08:00:00


@pytest.mark.parametrize("difference", [0, 60, -60])
def test_a_minute_is_nothing(difference: int, capsys: pytest.CaptureFixture[str]) -> None:
    compare(NOW, NOW + difference)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("difference", "said"), [(61, "61 s ahead"), (-61, "61 s behind"), (3600, "3600 s ahead"), (-3600, "3600 s behind")]
)
def test_more_than_a_minute_is_said(difference: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    compare(NOW, NOW + difference)
    warning = capsys.readouterr().err
    assert said in warning
    assert "2027-01-15T08:00:00Z" in warning


@pytest.mark.parametrize("difference", [3601, -3601, 400 * 86_400])
def test_more_than_an_hour_is_refused(difference: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Conflict, match="2027-01-15T08:00:00Z") as caught:
        compare(NOW, NOW + difference)
    assert "TDR_CLOCK=chain" in caught.value.hint
    monkeypatch.setenv("TDR_CLOCK", "chain")
    compare(NOW, NOW + difference)


@pytest.fixture
def chain() -> EmbeddedChain:
    return EmbeddedChain.in_memory(Relayer(RELAYER_SECRET).address)


@pytest.fixture
def gateway(tmp_path: Path, chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    folder = tmp_path / "node"
    folder.mkdir()
    with open_node(folder, chain=chain, start=False) as node, running(node) as found:
        monkeypatch.setenv("TDR_GATEWAY", str(found.http.base_url))
        yield found


def deadlines(gateway: Gateway) -> list[int]:
    with gateway.node.storage.read() as connection:
        return list(connection.execute(select(RECEIPTS.c.deadline)).scalars())


def test_a_deadline_is_counted_from_the_chains_time(
    tdr: Run, key: Signer, files: Path, gateway: Gateway, chain: EmbeddedChain
) -> None:
    chain.request("evm_increaseTime", [1800])
    before = chain.now()
    done = tdr("register", files, "--deadline", "1h", "--no-wait")
    assert done.code == 0, done.err
    assert "s behind" in done.err
    assert [before + 3600 <= deadline <= chain.now() + 3600 for deadline in deadlines(gateway)] == [True]


def test_nothing_is_signed_where_the_clocks_are_hours_apart(
    tdr: Run, key: Signer, files: Path, gateway: Gateway, chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signature that is meant for an hour would be good for 400 days."""
    chain.request("evm_increaseTime", [400 * 86_400])
    said = refused(tdr("register", files, "--no-wait"))
    assert "s behind" in said
    assert deadlines(gateway) == []
    monkeypatch.setenv("TDR_CLOCK", "chain")
    assert tdr("register", files, "--no-wait").code == 0
    assert len(deadlines(gateway)) == 1


def test_a_deadline_that_has_passed_on_the_chain_is_refused(
    tdr: Run, key: Signer, files: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "this machine's clock shows 20" in refused(tdr("register", files, "--deadline", "2026-01-01"))
    monkeypatch.setenv("TDR_CLOCK", "chain")
    assert "the chain's time is 20" in refused(tdr("register", files, "--deadline", "2026-01-01"))


def test_a_grant_ends_when_it_expires_by_the_chains_time(
    tdr: Run, key: Signer, files: Path, tmp_path: Path, chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C8."""
    folder = tmp_path / "node"
    folder.mkdir()
    with capture_logs(), open_node(folder, chain=chain) as node, running(node) as gateway:
        monkeypatch.setenv("TDR_GATEWAY", str(gateway.http.base_url))
        dataset = tdr("register", files, "--json").json["datasetId"]
        granted = tdr("grant", dataset, ANALYST.address, "--rights", "read", "--until", "1h", "--json")
        assert granted.code == 0, granted.err
        assert tdr("access", dataset, ANALYST.address).code == 0
        # A minute more than the grant has: blocks that are made at once are some seconds ahead of the machine's clock.
        chain.request("evm_increaseTime", [3660])
        chain.request("evm_mine")  # Of an idle chain the time is the machine's.
        eventually(lambda: tdr("access", dataset, ANALYST.address).code == 1)
