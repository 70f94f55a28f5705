"""Two indexers that begin at the same moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from tests.index.activity import Activity
from tests.index.oracle import require_fold


def test_an_indexer_that_begins_beside_one_that_is_ahead_takes_nothing_away(
    activity: Activity, postgresql_storage: Storage
) -> None:
    """R4: the second found no index, and emptied the tables while the first was filling them."""
    for _ in range(10):
        activity.act(4)
        activity.mine()
    first = Indexer(activity.chain, postgresql_storage, activity.deployment, ROOMS)
    second = Indexer(activity.chain, postgresql_storage, activity.deployment, ROOMS)
    engine, is_overtaken = postgresql_storage.engine, False

    def overtake(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal is_overtaken
        if statement.startswith("DELETE FROM index_state") and not is_overtaken:
            is_overtaken = True
            first.catch_up()

    event.listen(engine, "after_cursor_execute", overtake)
    try:
        second.step()
    finally:
        event.remove(engine, "after_cursor_execute", overtake)
    assert is_overtaken
    second.catch_up()
    require_fold(activity, postgresql_storage)
