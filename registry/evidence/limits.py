"""Determine what a bundle does not prove although every step of its verification succeeded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from registry.base.primitives import Address
from registry.ethereum.header import Header
from registry.evidence.bundle import Bundle
from registry.evidence.record import History, main_room, proof_of
from registry.evidence.trust import Authority
from registry.rooms.proof_adapter import NotProven
from registry.rooms.protocol import Protocols

TRUTH: Final = NotProven("truth")
FILES: Final = NotProven("files")


def limits_of(
    bundle: Bundle,
    history: History,
    last: Header,
    pins: Mapping[str, Address],
    authority: Authority,
    protocols: Protocols,
) -> Iterator[NotProven]:
    """Return the limits of a verified bundle: what it does not prove.

    Args:
        bundle: The bundle.
        history: Its events and the states that they fold to.
        last: The block of the record.
        pins: The contracts' addresses that the auditor knows, by name.
        authority: The authority that vouched for the blocks.
        protocols: The rooms.
    """
    yield TRUTH
    yield NotProven("authority", {"authority": authority})
    yield NotProven("persons")
    yield NotProven("later", {"number": last.number, "time": last.timestamp})
    addresses = bundle.contracts.addresses()
    if bundle.state is None:
        contract = history.main.contract
        yield NotProven("leftOut")
        yield NotProven("code", {"address": str(addresses[contract]), "contract": contract})
    for name in protocols.contracts:
        if name in addresses and pins.get(name) != addresses[name]:
            yield NotProven("address", {"address": str(addresses[name])})
    main = main_room(protocols)
    for room in (*(room for room in protocols.proven if room is not main), main):
        if room is main:
            yield from _superseded(bundle, history, protocols)
        events = [(shown.event, shown.at.timestamp) for shown in history.events if shown.scope.room == room.name]
        yield from proof_of(room).limits(len(history.of_room(room.name)), events)
    if bundle.content is None or (bundle.content.manifest is None and not bundle.content.files):
        yield FILES


def _superseded(bundle: Bundle, history: History, protocols: Protocols) -> Iterator[NotProven]:
    """Return the limit that a later version followed the one whose content is shown."""
    versions = proof_of(main_room(protocols)).versions
    if versions is None or bundle.content is None:
        return
    shown, latest = bundle.content.version, len(versions(history.main.state))
    if shown < latest:
        yield NotProven("superseded", {"version": shown, "latest": latest})
