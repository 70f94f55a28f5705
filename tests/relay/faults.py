"""Chains with faults at chosen moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from registry.chain.client import Chain, ChainUnavailable, RpcError
from tests.fixtures.altered import Altered
from tests.fixtures.crashes import Crash

Calls = Sequence[tuple[str, Sequence[object]]]


class Crashing:
    """A chain during whose n-th exchange the process dies: before the node gets the request, or before the answer."""

    def __init__(self, chain: Chain, tick: Callable[[], bool], *, after: bool) -> None:
        self._chain = chain
        self._tick = tick
        self._after = after

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        return self._crashing(lambda: self._chain.request(method, params))

    def batch(self, calls: Calls) -> list[Any]:
        return self._crashing(lambda: self._chain.batch(calls))

    def _crashing(self, carry_out: Callable[[], Any]) -> Any:
        crashes = self._tick()
        if crashes and not self._after:
            raise Crash
        answer = carry_out()
        if crashes:
            raise Crash
        return answer

    def close(self) -> None:
        return None


def losing_answers(chain: Chain, times: int) -> Altered:
    """A chain that accepts transactions, but loses the answers to the first ones."""
    left = [times]

    def alter(method: str, params: Sequence[object], carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        if method == "eth_sendRawTransaction" and left[0] > 0:
            left[0] -= 1
            raise ChainUnavailable("the answer was lost")
        return answer

    return Altered(chain, alter)


def refusing(chain: Chain, message: str, times: int) -> Altered:
    """A chain that refuses the first transactions with a message."""
    left = [times]

    def alter(method: str, params: Sequence[object], carry_out: Callable[[], Any]) -> Any:
        if method == "eth_sendRawTransaction" and left[0] > 0:
            left[0] -= 1
            raise RpcError(-32000, message)
        return carry_out()

    return Altered(chain, alter)
