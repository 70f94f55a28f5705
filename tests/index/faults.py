"""A faulty node: an honest chain, whose answers a test can change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from registry.chain.client import Chain, ChainIdentity, RpcError

Spoil = Callable[[str, Sequence[object], Any], Any]


class SpoilingChain:
    """Hands every answer to `spoil`, which gives what is answered instead (or raises).

    Args:
        chain: The honest chain.
        spoil: Called with method, parameters and the honest answer.
    """

    def __init__(self, chain: Chain, spoil: Spoil) -> None:
        self._chain = chain
        self.spoil = spoil

    @property
    def identity(self) -> ChainIdentity:
        return self._chain.identity

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        return self.spoil(method, params, self._chain.request(method, params))

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        answers = self._chain.batch(calls)
        return [self.spoil(method, params, answer) for (method, params), answer in zip(calls, answers, strict=True)]

    def close(self) -> None:
        self._chain.close()


def honest(method: str, params: Sequence[object], answer: Any) -> Any:
    """Change nothing."""
    return answer
