"""Choose the grantees in evidence, so that its size depends on the owner's actions and not on those of strangers.

Any account may request access to any dataset. Therefore a bundle shows the grantees to whom access was granted; an
account that only requested access is shown only if it is named. A grantee's slot in `AccessGrants` counts their
requests, so a grantee is shown with all of them. Grantees with more than a few requests are left out unless they are
named, and naming a grantee with very many is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.chain.client import Chain, RpcError, decoding
from registry.chain.history import NOT_A_FULL_HISTORY, BlockRef, ask, logs_until
from registry.ethereum.abi import left_padded
from registry.ethereum.logs import Moment
from registry.rooms.access.events import ACCESS_GRANTED, ACCESS_REQUESTED, ACCESS_REVOKED, AccessEvent, decode
from registry.rooms.access.messages import CONTRACT
from registry.rooms.access.proof import GrantSlot, grant_slot
from registry.rooms.access.records import Access, fold
from registry.rooms.deployment import Deployment

MAX_REQUESTS: Final = 64
"""The most requests of a grantee who is shown without being named."""
MAX_NAMED_REQUESTS: Final = 1_000
"""The most requests of a grantee who is named."""

_TOPICS_AT_ONCE: Final = 250
"""The most grantees per query: nodes accept up to 1,000 alternatives of a topic, some only 64 KiB per request."""


@dataclass(frozen=True, slots=True)
class AccessShown:
    """The access that a bundle shows.

    Args:
        grantees: The grantees, ascending.
        moments: The moments of their events.
    """

    grantees: tuple[Address, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class GrantsInForce:
    """The grants that are active at a block.

    Args:
        grantees: The grantees, the most recent grant first, up to a limit.
        further: The number of further grantees.
    """

    grantees: tuple[Address, ...]
    further: int


@dataclass(frozen=True, slots=True)
class AccessLogs:
    """The events of access to one dataset, up to a block. Each method raises as `logs_until` does.

    Args:
        chain: The chain.
        deployment: The contracts.
        dataset_id: The dataset.
        until: The block up to which events count.
    """

    chain: Chain
    deployment: Deployment
    dataset_id: DatasetId
    until: BlockRef

    def to_show(self, grantees: Iterable[Address] | None) -> AccessShown:
        """Return the grantees to show, and the moments of their grants, revocations and requests.

        Args:
            grantees: The grantees; None means all who were ever granted access, except those with many requests.

        Raises:
            InvalidInput: A named grantee made too many requests.
        """
        named = None if grantees is None else sorted(set(grantees))
        grants = self._grants(named)
        candidates = sorted({event.grantee for event, _ in grants}) if named is None else named
        asked = self._asked(candidates)
        if named is None:
            candidates = [grantee for grantee in candidates if asked[grantee] <= MAX_REQUESTS]
        else:
            _require_few(asked)
        requests = self._events([ACCESS_REQUESTED], [grantee for grantee in candidates if asked[grantee]])
        shown = set(candidates)
        moments = [at for event, at in (*grants, *requests) if event.grantee in shown]
        return AccessShown(tuple(candidates), tuple(moments))

    def in_force(self, most: int) -> GrantsInForce:
        """Return the grantees with access at the block's time.

        Args:
            most: The most grantees to name.
        """
        access: dict[Address, Access] = {}
        grants = self._grants(None)
        with decoding(NOT_A_FULL_HISTORY):
            for event, at in grants:
                access[event.grantee] = fold(access.get(event.grantee), event, at)
        held = {
            grantee: grant for grantee, record in access.items() if (grant := record.grant_at(self.until.timestamp))
        }
        newest = sorted(held, key=lambda grantee: held[grantee].at, reverse=True)
        asked = self._asked(newest)
        named = [grantee for grantee in newest if asked[grantee] <= MAX_REQUESTS][:most]
        return GrantsInForce(tuple(named), len(held) - len(named))

    def _grants(self, grantees: Sequence[Address] | None) -> list[tuple[AccessEvent, Moment]]:
        return self._events([ACCESS_GRANTED, ACCESS_REVOKED], grantees)

    def _asked(self, grantees: Sequence[Address]) -> dict[Address, int]:
        """Return each grantee's number of requests: from the contract's state, or from events if it is not served."""
        slots = [grant_slot(self.dataset_id, grantee) for grantee in grantees]
        address = str(self.deployment.address_of(CONTRACT))
        try:
            words = ask(self.chain, [("eth_getStorageAt", [address, str(slot), self.until.height]) for slot in slots])
        except RpcError:  # The node does not have the state of that block.
            counted = Counter(event.grantee for event, _ in self._events([ACCESS_REQUESTED], grantees))
            return {grantee: counted[grantee] for grantee in grantees}
        with decoding(f"The node does not serve the state of {address}."):
            kept = [GrantSlot.unpack(Bytes32.parse(word)) for word in words]
        return {grantee: slot.requests for grantee, slot in zip(grantees, kept, strict=True)}

    def _events(self, kinds: Sequence[Bytes32], grantees: Sequence[Address] | None) -> list[tuple[AccessEvent, Moment]]:
        """Return the events of given kinds and grantees (None means all grantees), in order for each grantee."""
        parts: list[Sequence[Bytes32] | None] = [None]
        if grantees is not None:
            words = [Bytes32(left_padded(grantee)) for grantee in grantees]
            parts = [words[start : start + _TOPICS_AT_ONCE] for start in range(0, len(words), _TOPICS_AT_ONCE)]
        deployment, topic = self.deployment, self.dataset_id
        logs = [
            found
            for part in parts
            for found in logs_until(
                self.chain,
                deployment.address_of(CONTRACT),
                [[kinds, topic, part]],
                deployment.block_number,
                self.until,
            )
        ]
        with decoding(NOT_A_FULL_HISTORY):
            return [(event, at) for log, at in logs if (event := decode(log)) is not None]


def _require_few(asked: dict[Address, int]) -> None:
    """Require that no grantee made too many requests."""
    for grantee, count in asked.items():
        if count > MAX_NAMED_REQUESTS:
            raise InvalidInput(
                f"{grantee} requested access {count:,} times; evidence shows at most {MAX_NAMED_REQUESTS:,} requests "
                "of one grantee.",
                hint="Leave this grantee out; `tdr access` shows their access without evidence.",
            )
