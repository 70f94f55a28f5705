"""The rows that the tables of datasets must hold, by the fold of records.

This second fold of the same events is deliberate: `tdr index check` compares it with the rows of the projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Table

from registry.base.primitives import DatasetId
from registry.ethereum.logs import Moment
from registry.index.position import position_of
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.records import Dataset, fold
from registry.rooms.datasets.tables import DATASETS, SOURCES, VERSIONS, packed
from registry.rooms.projection import IndexedEvent, Row


class DatasetFold:
    """Fold the events of all datasets into their records."""

    def __init__(self) -> None:
        self._datasets: dict[DatasetId, Dataset] = {}

    def add(self, event: IndexedEvent) -> Head:
        """Add one more event; return the dataset's head after it.

        Raises:
            InvalidInput: The event cannot follow.
        """
        dataset_id = event.event.dataset_id
        dataset = self._datasets[dataset_id] = fold(self._datasets.get(dataset_id), event.event, event.moment)
        return dataset.head

    def rows(self) -> Iterator[tuple[Table, Iterable[Row]]]:
        """Yield the rows of each table."""
        datasets = self._datasets.values()
        yield DATASETS, map(_dataset, datasets)
        yield VERSIONS, (row for dataset in datasets for row in _versions(dataset))
        yield SOURCES, (row for dataset in datasets for row in _sources(dataset))


def _place(at: Moment) -> int:
    return position_of(at.block_number, at.log_index)


def _dataset(dataset: Dataset) -> Row:
    first, latest, withdrawal = dataset.versions[0], dataset.latest, dataset.withdrawal
    updated = max(latest.at, dataset.titles[-1].since, withdrawal.at if withdrawal else latest.at)
    return (
        dataset.dataset_id,
        _place(first.at),
        first.at.timestamp,
        dataset.titles[0].owner,
        dataset.salt,
        dataset.owner,
        dataset.head,
        latest.number,
        latest.content_root,
        latest.metadata_hash,
        latest.uri,
        packed(latest.sources),
        latest.at.transaction_hash,
        _place(updated),
        updated.timestamp,
        withdrawal is not None,
        withdrawal.reason if withdrawal else None,
    )


def _versions(dataset: Dataset) -> Iterator[Row]:
    for version in dataset.versions:
        claimant = next(title.owner for title in reversed(dataset.titles) if title.since <= version.at)
        yield (
            _place(version.at),
            dataset.dataset_id,
            version.number,
            version.content_root,
            version.metadata_hash,
            claimant,
        )


def _sources(dataset: Dataset) -> Iterator[Row]:
    for version in dataset.versions:
        for source in version.sources:
            yield source.dataset_id, source.version, _place(version.at), dataset.dataset_id
