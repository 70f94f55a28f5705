"""Search for datasets by owner, name, words, hash, status, source and prefix of the id."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import orjson
import pytest

from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.base.primitives import ZERO_BYTES32, Bytes32, DatasetId
from registry.documents.store import put_manifest, put_metadata
from registry.index.sync import Indexer
from registry.manifest import Entry, Manifest
from registry.rooms.datasets.messages import Revision, Source, TitleTransfer, Withdrawal
from registry.rooms.datasets.names import query_words, words_of
from registry.rooms.datasets.search import DatasetFilter
from registry.storage import Storage
from tests.fixtures.publications import published
from tests.index.activity import LATER, Activity, busy
from tests.index.answers import Answers, every

FILE = Bytes32(b"\x0f" * 32)
METADATA = {"name": "Rainfall in Ghana, 1950-2020", "description": "Daily sums."}


def test_datasets_are_found_by_owner_name_words_hash_status_and_source(
    activity: Activity, indexer: Indexer, queries: Answers, storage: Storage
) -> None:
    owner, other = activity.people[0], activity.people[1]
    manifest = Manifest.of([Entry("data/table.csv", FILE, 12), Entry("read.me", Bytes32(b"\x0e" * 32), 3)])
    with storage.write() as connection:
        key = put_metadata(connection, METADATA)
        root = put_manifest(connection, manifest)
    first = activity.registration(owner, content_root=root, metadata_hash=key, sources=())
    published(storage, first.dataset_id, content_root=root, metadata_hash=key)
    second = activity.registration(
        other,
        content_root=Bytes32(b"\x02" * 32),
        metadata_hash=ZERO_BYTES32,
        sources=(Source(dataset_id=first.dataset_id, version=1),),
    )
    for person, message in ((owner, first), (other, second)):
        activity.send(person, message)
        activity.mine()
    indexer.catch_up()

    def found(**wanted: Any) -> list[str]:
        return [item["datasetId"] for item in queries.datasets(DatasetFilter(**wanted))["items"]]

    one, two = str(first.dataset_id), str(second.dataset_id)
    assert found() == [two, one]
    assert found(owner=activity.address(owner)) == [one]
    assert found(name="  rainfall in GHANA, 1950-2020") == [one]
    assert found(words="ghana") == [one]
    assert found(words="Rainfall 1950") == [one]
    assert found(words="rainfall peru") == []
    assert found(sha256=FILE) == [one]
    assert found(sha256=root) == [one]
    assert found(sha256=key) == [one]
    assert found(sha256=Bytes32(b"\x02" * 32)) == [two]
    assert found(source=first.dataset_id) == [two]
    assert found(is_withdrawn=True) == []
    assert found(is_withdrawn=False, owner=activity.address(other), words="ghana") == []
    with pytest.raises(InvalidInput, match="does not contain a word"):
        queries.datasets(DatasetFilter(words=" ,. "))
    require_published(queries, first.dataset_id)
    head = Bytes32.parse(queries.dataset(first.dataset_id)["head"])
    named: dict[str, Any] = {"dataset_id": first.dataset_id, "deadline": LATER}
    activity.send(owner, Withdrawal(**named, head=head, reason="\0 and \\"))
    activity.mine()
    indexer.catch_up()
    assert found(is_withdrawn=True) == [one]
    assert queries.dataset(first.dataset_id)["withdrawalReason"] == "\0 and \\"


def require_published(queries: Answers, dataset_id: DatasetId) -> None:
    """Require that a dataset is shown with the documents that were published for it."""
    answer = json.loads(orjson.dumps(queries.dataset(dataset_id)))
    assert answer["metadata"] == METADATA
    assert (answer["name"], answer["description"]) == (METADATA["name"], METADATA["description"])
    assert (answer["files"], answer["bytes"]) == (2, 15)


@pytest.mark.parametrize(
    ("sought", "is_found"),
    [
        ("气象站", True),
        ("气象", True),
        ("站", True),
        ("数据 气象", True),
        ("7", True),
        ("Station7", False),
        ("station 观测", True),
        ("气站", False),
        ("象观", False),
        ("温度", False),
    ],
)
def test_a_name_written_without_spaces_is_found_by_its_parts(sought: str, is_found: bool) -> None:
    """The words of names and of searches in the index; Chinese has no spaces between words."""
    kept = set(words_of("气象站 7 的数据 Station观测"))
    assert (set(query_words(sought)) <= kept) is is_found


def test_metadata_that_comes_in_after_the_event_names_the_dataset(
    activity: Activity, indexer: Indexer, queries: Answers, storage: Storage
) -> None:
    with storage.write() as connection:
        key = put_metadata(connection, {"name": "Élan"})
    message = activity.registration(activity.people[0], metadata_hash=key, sources=())
    published(storage, message.dataset_id, metadata_hash=key)
    late = activity.registration(
        activity.people[0],
        metadata_hash=Bytes32.parse("0x44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
        sources=(),
    )
    for one in (message, late):
        activity.send(activity.people[0], one)
    activity.mine()
    indexer.catch_up()
    assert [item["datasetId"] for item in queries.datasets(DatasetFilter(words="elan"))["items"]] == [
        str(message.dataset_id)
    ]
    with storage.write() as connection:  # {} has no name, but is kept all the same.
        assert put_metadata(connection, {}) == late.metadata_hash
    published(storage, late.dataset_id, metadata_hash=late.metadata_hash)
    indexer.catch_up()
    assert json.loads(orjson.dumps(queries.dataset(late.dataset_id)))["metadata"] == {}
    revised = put_late(activity, indexer, storage, queries, late.dataset_id)
    assert [item["datasetId"] for item in queries.datasets(DatasetFilter(words="late"))["items"]] == [revised]
    activity.reorg(1, keep=0.0)
    indexer.catch_up()
    assert queries.datasets(DatasetFilter(words="late"))["items"] == []


def put_late(activity: Activity, indexer: Indexer, storage: Storage, queries: Answers, dataset_id: DatasetId) -> str:
    """Revise a dataset, and deposit the metadata after the index has read the revision."""
    head = Bytes32.parse(queries.dataset(dataset_id)["head"])
    named = {"name": "It came late"}
    key = Bytes32(sha256(b'{"name":"It came late"}').digest())
    activity.send(
        activity.people[0],
        Revision(
            dataset_id=dataset_id,
            head=head,
            content_root=FILE,
            metadata_hash=key,
            uri="",
            sources=(),
            deadline=LATER,
        ),
    )
    activity.mine()
    indexer.catch_up()
    with storage.write() as connection:
        assert put_metadata(connection, named) == key
    published(storage, dataset_id, 2, metadata_hash=key)
    indexer.catch_up()
    return str(dataset_id)


def test_claims_name_every_claimant_in_the_order_of_the_chain(
    activity: Activity, indexer: Indexer, queries: Answers, storage: Storage
) -> None:
    owner, other = activity.people[0], activity.people[1]
    manifest = Manifest.of([Entry("a.csv", FILE, 1)])
    with storage.write() as connection:
        root = put_manifest(connection, manifest)
    first = activity.registration(owner, content_root=root, metadata_hash=ZERO_BYTES32, sources=())
    second = activity.registration(other, content_root=root, metadata_hash=FILE, sources=())
    published(storage, first.dataset_id, content_root=root)
    for person, message in ((owner, first), (other, second)):
        activity.send(person, message)
        activity.mine()
    indexer.catch_up()
    head = Bytes32.parse(queries.dataset(first.dataset_id)["head"])
    transfer = TitleTransfer(dataset_id=first.dataset_id, head=head, to=activity.address(other), deadline=LATER)
    activity.send(owner, transfer)
    activity.mine()
    indexer.catch_up()
    claims = queries.claims(root)["claims"]
    assert [(one["match"], one["claimant"], one["owner"]) for one in claims] == [
        ("root", str(activity.address(owner)), str(activity.address(other))),
        ("root", str(activity.address(other)), str(activity.address(other))),
    ]
    by_file = queries.claims(FILE, limit=1)
    assert [(one["match"], one["path"]) for one in by_file["claims"]] == [("file", "a.csv")]
    rest = queries.claims(FILE, cursor=by_file["next"])
    assert [(one["match"], one["path"]) for one in rest["claims"]] == [("metadata", None)]
    assert queries.claims(ZERO_BYTES32)["claims"] == []
    assert queries.datasets(DatasetFilter(sha256=ZERO_BYTES32))["items"] == []


def test_an_id_is_found_by_a_unique_prefix(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    message = activity.registration(activity.people[0], sources=())
    activity.send(activity.people[0], message)
    activity.mine()
    indexer.catch_up()
    whole = str(message.dataset_id)
    for prefix in (whole, whole[2:], whole[:10], whole[2:13].upper()):
        assert queries.resolve(prefix) == message.dataset_id
    with pytest.raises(NotFound):
        queries.resolve("0x" + "0" * 9)
    for wrong in (whole[:9], whole + "0", "0x" + "g" * 8, "", "0x", "٣" * 8):
        with pytest.raises(InvalidInput):
            queries.resolve(wrong)


def test_an_ambiguous_prefix_lists_the_candidates(
    storage: Storage, queries: Answers, activity: Activity, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.rooms.datasets.queries.MIN_PREFIX", 1)
    busy(activity, indexer)
    ids = [item["datasetId"] for item in every(queries.datasets)]
    digit = max("0123456789abcdef", key=lambda one: sum(item[2] == one for item in ids))
    with pytest.raises(Conflict) as caught:
        queries.resolve(digit)
    assert sum(item[2] == digit for item in ids) >= 2
    assert min(item for item in ids if item[2] == digit) in caught.value.hint
