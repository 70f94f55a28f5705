"""Decide when a block is final: by the node's finalized tag, or by the number of blocks on top of it."""

from __future__ import annotations

import logging
import threading
from typing import Any, Final, Literal

from registry.chain.capabilities import FINALIZED, Capabilities, FinalizedTag, detect
from registry.chain.client import Chain

Finality = Literal["auto", "finalized"] | int
"""By the node's `finalized` tag; by this number of blocks on top; or, for "auto", by the tag where the chain has it."""

AUTOMATIC_DEPTH: Final = 12
"""The number of blocks on top that make a block final where the chain has no finalized blocks.

Under Clique each of N validators may sign one of floor(N/2)+1 consecutive blocks (EIP-225), so a minority that is cut
off stops after floor(N/2) blocks: no honest reorganisation is deeper. 12 blocks cover networks of up to 24 validators.
"""

log = logging.getLogger(__name__)


class FinalityRule:
    """The rule for when blocks are final, shared by all parts of a process. Safe to use from several threads.

    "auto" is decided once, by the first answer of a node, and holds until the process ends: nodes of one chain may
    support different features, but finality must not depend on which of them answers.

    Args:
        setting: The operator's setting.
    """

    def __init__(self, setting: Finality = "auto") -> None:
        self._lock = threading.Lock()
        self._is_decided = setting != "auto"
        self._depth = setting if isinstance(setting, int) else None

    @classmethod
    def of(cls, setting: Finality | FinalityRule) -> FinalityRule:
        """Return a rule unchanged, or the rule for a setting."""
        return setting if isinstance(setting, FinalityRule) else cls(setting)

    def depth(self, chain: Chain) -> int | None:
        """Return how many blocks on top make a block final; None where the node's `finalized` tag decides.

        Raises:
            ChainUnavailable: The rule is undecided, and there was no usable answer.
            RpcError: The rule is undecided, and the node returned an error for its newest block.
        """
        if not self._is_decided:
            self.decide(detect(chain))
        return self._depth

    def decide(self, offered: Capabilities) -> None:
        """Decide "auto" by a node's capabilities, and log the decision. Do nothing if it is already decided."""
        with self._lock:
            if self._is_decided:
                return
            node = offered.client or "the node"
            if offered.finalized is FinalizedTag.ABSENT:
                self._depth = AUTOMATIC_DEPTH
                log.info(
                    "finality by depth: %s has no finalized blocks; a block is final with %d blocks on top "
                    "(TDR_FINALITY sets another number)",
                    node,
                    AUTOMATIC_DEPTH,
                )
            elif offered.finalized is FinalizedTag.NOT_YET:
                log.info("finality by the finalized tag: %s has no finalized block yet but will have one", node)
            else:
                log.info("finality by the finalized tag of %s", node)
            self._is_decided = True

    def to_json(self) -> dict[str, Any] | None:
        """Return the rule for health answers; None while it is undecided."""
        if not self._is_decided:
            return None
        return {"by": FINALIZED} if self._depth is None else {"by": "depth", "blocks": self._depth}
