"""A gateway with a family of datasets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from registry.base.canonical import metadata_hash
from registry.base.primitives import DatasetId
from registry.rooms.datasets.messages import Source
from tests.api.world import Gateway, open_node, running, withdrawal


@dataclass(frozen=True)
class Weather:
    """Two sources, one of them withdrawn, and a dataset derived from both in two versions."""

    gateway: Gateway
    seattle: DatasetId
    airports: DatasetId
    clean: DatasetId

    @property
    def url(self) -> str:
        return str(self.gateway.http.base_url).rstrip("/")


@pytest.fixture(scope="module")
def weather_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weather]:
    with open_node(tmp_path_factory.mktemp("node")) as node, running(node) as gateway:
        named = {"name": "西雅图气象 <b>&amp;"}
        message = gateway.registration(metadata_hash=metadata_hash(named))
        gateway.settle(message, metadata=named)
        seattle, airports = message.dataset_id, gateway.register()
        both = tuple(Source(dataset_id=dataset_id, version=1) for dataset_id in sorted((seattle, airports)))
        clean = gateway.register(sources=both)
        gateway.settle(gateway.revision(clean, gateway.head(clean), sources=(Source(dataset_id=seattle, version=1),)))
        gateway.settle(withdrawal(airports, gateway.head(airports), "wrong units"))
        yield Weather(gateway, seattle, airports, clean)
