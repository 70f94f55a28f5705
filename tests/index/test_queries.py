"""Answers of the index, compared with the records' pure folds of the same chain."""

from __future__ import annotations

import json
from collections.abc import Callable

import orjson
import pytest

from registry.base.errors import InvalidInput, NotFound
from registry.base.primitives import Address, DatasetId
from registry.index.sync import Indexer
from registry.rooms.datasets.ownership import owns_since
from registry.rooms.datasets.search import DatasetFilter
from registry.storage import Storage
from tests.index.activity import Activity, busy
from tests.index.answers import Answers, every
from tests.index.oracle import fold_chain


def test_an_account_has_a_history_from_the_first_dataset_that_it_registered_and_still_owns(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    busy(activity, indexer)
    datasets, _ = fold_chain(activity.chain, activity.deployment)
    accounts = {title.owner for one in datasets.values() for title in one.titles}
    own = {
        account: [
            one.versions[0].at.timestamp
            for one in datasets.values()
            if one.owner == account and one.titles[0].owner == account
        ]
        for account in accounts
    }
    assert any(one.owner != one.titles[0].owner for one in datasets.values()), "some were passed on"
    for account, moments in own.items():
        for moment in sorted({0, *moments, *(moment - 1 for moment in moments), 2**40}):
            expected = any(registered <= moment for registered in moments)
            assert owns_since(storage, account, moment) == expected
    assert not owns_since(storage, Address(b"\x77" * 20), 2**40)


def test_every_dataset_version_and_step_is_that_of_the_fold(
    activity: Activity, indexer: Indexer, queries: Answers
) -> None:
    """R4, through what is answered."""
    busy(activity, indexer)
    datasets, _ = fold_chain(activity.chain, activity.deployment)
    listed = every(queries.datasets)
    newest_first = sorted(datasets.values(), key=lambda one: one.versions[0].at, reverse=True)
    assert [item["datasetId"] for item in listed] == [str(one.dataset_id) for one in newest_first]
    for one in datasets.values():
        answer = json.loads(orjson.dumps(queries.dataset(one.dataset_id)))
        assert answer["owner"] == str(one.owner)
        assert answer["firstOwner"] == str(one.titles[0].owner)
        assert answer["head"] == str(one.head)
        assert answer["uri"] == one.latest.uri
        assert answer["sources"] == [source.to_json() for source in one.latest.sources]
        assert answer["status"] == ("active" if one.withdrawal is None else "withdrawn")
        assert answer["withdrawalReason"] == (one.withdrawal.reason if one.withdrawal else None)
        assert answer["registeredBlock"] == one.versions[0].at.block_number
        assert answer["transactionHash"] == str(one.latest.at.transaction_hash)
        assert answer["asOfBlock"] == activity.head_number()
        versions = every(queries.versions, dataset_id=one.dataset_id)
        assert [(item["version"], item["contentRoot"], item["at"]["logIndex"]) for item in versions] == [
            (version.number, str(version.content_root), version.at.log_index) for version in one.versions
        ]
        history = every(queries.history, dataset_id=one.dataset_id)
        assert len(history) == len(one.versions) + len(one.titles) - 1 + (one.withdrawal is not None)
        assert history[-1]["head"] == str(one.head)


def test_of_an_unknown_dataset_nothing_is_said(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    indexer.catch_up()
    unregistered = DatasetId(b"\x05" * 32)
    asks: list[Callable[[], object]] = [
        lambda: queries.dataset(unregistered),
        lambda: queries.versions(unregistered),
        lambda: queries.history(unregistered),
        lambda: queries.grants(unregistered, 0),
        lambda: queries.grantee(unregistered, activity.address(activity.people[0]), 0),
        lambda: queries.access(unregistered, activity.address(activity.people[0]), 0),
    ]
    for ask in asks:
        with pytest.raises(NotFound, match="no dataset 0x0505"):
            ask()


def test_a_cursor_of_one_list_is_not_taken_by_another(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    """It would return a page of other rows, or an empty one that looks like the end."""
    for _ in range(2):
        activity.send(activity.people[0], activity.registration(activity.people[0], sources=()))
    activity.mine()
    indexer.catch_up()
    cursor = queries.datasets(DatasetFilter(), limit=1)["next"]
    (dataset,) = queries.datasets(DatasetFilter(), limit=1)["items"]
    others = (queries.versions, queries.history, queries.access_requests)
    for other in others:
        with pytest.raises(InvalidInput, match="cursor"):
            other(DatasetId.parse(dataset["datasetId"]), cursor=cursor)


@pytest.mark.parametrize("cursor", ["", "-1", "1.5", "x", "9" * 40, "٣", "7", "d", "d-1", "d٣", f"d{'9' * 40}", "v7"])
def test_a_made_up_cursor_is_refused(cursor: str, sqlite_storage: Storage) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        Answers(sqlite_storage).datasets(cursor=cursor)
