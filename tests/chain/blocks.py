"""The blocks of a chain."""

from __future__ import annotations

from typing import Any

from registry.chain.client import Chain


def height(chain: Chain) -> int:
    return int(chain.request("eth_blockNumber"), 16)


def blocks_of(chain: Chain) -> list[dict[str, Any]]:
    return [chain.request("eth_getBlockByNumber", [hex(n), False]) for n in range(height(chain) + 1)]
