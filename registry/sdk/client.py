"""The synchronous client of a gateway, with the rooms of the catalogue."""

from __future__ import annotations

from registry.sdk.gateway import GatewayClient
from registry.sdk.rooms.catalogue import Rooms


class Client(Rooms, GatewayClient):
    """One gateway, with each room under its name: `client.datasets`, `client.access`.

    It sends what was signed elsewhere and reads what is indexed. It holds no key. A gateway need not be trusted for
    evidence: `registry.verify` checks it, and the `service` of each room reads the chain itself.
    """
