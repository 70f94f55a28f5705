"""What the index answers, beside what the records' pure folds say of the same chain."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson
import pytest
from eth_account.signers.local import LocalAccount

from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.documents.store import put_manifest, put_metadata
from registry.index.sync import Indexer
from registry.manifest import Entry, Manifest
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.access.records import rights_names
from registry.rooms.datasets.messages import Revision, Source, TitleTransfer, Withdrawal
from registry.rooms.datasets.names import query_words, words_of
from registry.rooms.datasets.ownership import owns_since
from registry.rooms.datasets.search import DatasetFilter
from registry.storage import Storage
from tests.fixtures.publications import published
from tests.index.activity import LATER, Activity
from tests.index.answers import Answers
from tests.index.oracle import fold_chain

FILE = Bytes32(b"\x0f" * 32)
METADATA = {"name": "Rainfall in Ghana, 1950-2020", "description": "Daily sums."}


@pytest.fixture
def queries(storage: Storage) -> Answers:
    return Answers(storage)


def every(page: Any, **arguments: Any) -> list[dict[str, Any]]:
    """All items, by following the pages."""
    items, cursor = [], None
    while True:
        answer = page(**arguments, limit=3, cursor=cursor)
        items += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            return items


def busy(activity: Activity, indexer: Indexer) -> None:
    for _ in range(25):
        activity.act(6)
        activity.mine()
    indexer.catch_up()


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


def test_every_dataset_version_step_and_grant_is_that_of_the_fold(
    activity: Activity, indexer: Indexer, queries: Answers
) -> None:
    """R4, through what is answered."""
    busy(activity, indexer)
    datasets, accesses = fold_chain(activity.chain, activity.deployment)
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
    now = activity.time
    for (dataset_id, grantee), access in accesses.items():
        grants = every(queries.grants, dataset_id=dataset_id, grantee=grantee, now=now)
        assert [(item["rightsMask"], item["termsHash"]) for item in reversed(grants)] == [
            (grant.rights, str(grant.terms_hash)) for grant in access.grants
        ]
        pair = queries.grantee(dataset_id, grantee, now)
        assert (pair["epoch"], pair["requests"]) == (access.epoch, len(access.requests))
        assert [item["purpose"] for item in reversed(pair["accessRequests"])] == [
            request.purpose for request in access.requests
        ]
        edges = {0, now, now + 10_000} | {
            edge + step
            for grant in access.grants
            for edge in (grant.starts_at, grant.until, grant.at.timestamp)
            for step in (-1, 0, 1)
        }
        for time in edges:
            held = access.grant_at(time)
            answer = queries.access(dataset_id, grantee, time)
            assert answer["allowed"] == (held is not None)
            assert answer["rights"] == ([] if held is None else list(rights_names(held.rights)))
            deciding = access.deciding_grant(time)
            assert answer["reason"] == ("neverGranted" if deciding is None else deciding.state_at(time))
            assert (answer["reason"] == "active") == answer["allowed"]
            assert answer["datasetStatus"] == ("active" if datasets[dataset_id].withdrawal is None else "withdrawn")
            if deciding is not None:
                assert answer["term"]["rights"] == list(rights_names(deciding.rights))


def test_access_gives_its_reason_and_the_former_term(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    """U14: never granted, not begun, in force, expired and revoked are told apart."""
    owner, reader = activity.people[0], activity.address(activity.people[1])
    message = activity.registration(owner)
    activity.send(owner, message)
    activity.mine()
    named: dict[str, Any] = {"dataset_id": message.dataset_id, "grantee": reader, "deadline": LATER}
    now = activity.time
    start, end = now + 1000, now + 2000
    terms = Bytes32(bytes(32))
    activity.send(owner, AccessGrant(**named, rights=5, starts_at=start, expires_at=end, terms_hash=terms, epoch=0))
    activity.mine()
    indexer.catch_up()

    def told(time: int, grantee: Address = reader) -> tuple[str, bool, bool]:
        answer = queries.access(message.dataset_id, grantee, time)
        return answer["reason"], answer["allowed"], answer["term"] is not None

    assert told(now, Address(b"\x01" * 20)) == ("neverGranted", False, False)
    assert told(now - 10**6) == ("scheduled", False, True)
    assert told(start - 1) == ("scheduled", False, True)
    assert told(start) == ("active", True, True)
    assert told(end - 1) == ("active", True, True)
    assert told(end) == ("expired", False, True)
    assert queries.access(message.dataset_id, reader, end)["term"]["rights"] == ["read", "aggregate"]
    activity.send(owner, AccessRevocation(**named, epoch=1))
    activity.mine()
    indexer.catch_up()
    assert told(end) == ("revoked", False, True)
    term = queries.access(message.dataset_id, reader, end)["term"]
    assert term["endsAt"] < term["startsAt"] < term["expiresAt"]


def test_a_grants_state_is_scheduled_active_expired_revoked_or_replaced(
    activity: Activity, indexer: Indexer, queries: Answers
) -> None:
    owner, grantee = activity.people[0], activity.address(activity.people[1])
    message = activity.registration(owner)
    activity.send(owner, message)
    activity.mine()
    named: dict[str, Any] = {"dataset_id": message.dataset_id, "grantee": grantee, "deadline": LATER}

    def grant(epoch: int, start: int, end: int) -> None:
        terms = Bytes32(bytes(31) + bytes([epoch]))
        activity.send(
            owner, AccessGrant(**named, rights=1, starts_at=start, expires_at=end, terms_hash=terms, epoch=epoch)
        )
        activity.mine()

    now = activity.time
    grant(0, now + 1000, now + 2000)
    grant(1, now + 1000, 2**48 - 1)
    activity.send(owner, AccessRevocation(**named, epoch=2))
    activity.mine()
    grant(3, now + 5000, now + 6000)
    indexer.catch_up()

    def states(time: int) -> list[str]:
        return [item["state"] for item in queries.grants(message.dataset_id, time)["items"]]

    assert states(now + 4999) == ["scheduled", "revoked", "replaced"]
    assert states(now + 5000) == ["active", "revoked", "replaced"]
    assert states(now + 5999) == ["active", "revoked", "replaced"]
    assert states(now + 6000) == ["expired", "revoked", "replaced"]
    assert queries.grants(message.dataset_id, now)["items"][1]["expiresAt"] == "9999-12-31T23:59:59Z"


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
    answer = json.loads(orjson.dumps(queries.dataset(first.dataset_id)))
    assert answer["metadata"] == METADATA
    assert (answer["name"], answer["description"]) == (METADATA["name"], METADATA["description"])
    assert (answer["files"], answer["bytes"]) == (2, 15)

    head = Bytes32.parse(queries.dataset(first.dataset_id)["head"])
    named: dict[str, Any] = {"dataset_id": first.dataset_id, "deadline": LATER}
    activity.send(owner, Withdrawal(**named, head=head, reason="\0 and \\"))
    activity.mine()
    indexer.catch_up()
    assert found(is_withdrawn=True) == [one]
    assert queries.dataset(first.dataset_id)["withdrawalReason"] == "\0 and \\"


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
    """Of names and what is sought, as the index keeps and asks for them; Chinese sets no spaces between words."""
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
    """Revises a dataset, and brings the metadata when the index has it already."""
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


def test_of_an_unknown_dataset_nothing_is_said(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    indexer.catch_up()
    nobody = DatasetId(b"\x05" * 32)
    asks: list[Callable[[], object]] = [
        lambda: queries.dataset(nobody),
        lambda: queries.versions(nobody),
        lambda: queries.history(nobody),
        lambda: queries.grants(nobody, 0),
        lambda: queries.grantee(nobody, activity.address(activity.people[0]), 0),
        lambda: queries.access(nobody, activity.address(activity.people[0]), 0),
    ]
    for ask in asks:
        with pytest.raises(NotFound, match="no dataset 0x0505"):
            ask()


def test_a_cursor_of_one_list_is_not_taken_by_another(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    """It would give a page of other rows, or an empty one, that looks like the end."""
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


def test_a_request_shows_what_was_asked_for(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    owner, asker = activity.people[0], activity.people[1]
    message = activity.registration(owner, sources=())
    activity.send(owner, message)
    activity.mine()
    grantee = activity.address(asker)
    request = AccessRequest(
        dataset_id=message.dataset_id,
        grantee=grantee,
        rights=5,
        expires_at=4_000_000_000,
        purpose="A study",
        requests=0,
        deadline=LATER,
    )
    activity.send(asker, request)
    activity.mine()
    indexer.catch_up()
    (shown,) = queries.grantee(message.dataset_id, grantee, 0)["accessRequests"]
    assert (shown["rights"], shown["purpose"], shown["expiresAt"]) == (
        ["read", "aggregate"],
        "A study",
        "2096-10-02T07:06:40Z",
    )
    whole = queries.access_requests(message.dataset_id)
    assert whole["items"] == [{"grantee": str(grantee), **shown, "granted": False}]


def test_requests_are_paged_the_newest_first_and_know_of_grants_that_followed(
    activity: Activity, indexer: Indexer, queries: Answers
) -> None:
    owner, first, second = activity.people[:3]
    message = activity.registration(owner, sources=())
    activity.send(owner, message)
    activity.mine()

    def ask(person: LocalAccount, requests: int) -> None:
        activity.send(
            person,
            AccessRequest(
                dataset_id=message.dataset_id,
                grantee=activity.address(person),
                rights=1,
                expires_at=4_000_000_000,
                purpose=f"{requests}",
                requests=requests,
                deadline=LATER,
            ),
        )
        activity.mine()

    ask(first, 0)
    activity.send(
        owner,
        AccessGrant(
            dataset_id=message.dataset_id,
            grantee=activity.address(first),
            rights=1,
            starts_at=0,
            expires_at=4_000_000_000,
            terms_hash=ZERO_BYTES32,
            epoch=0,
            deadline=LATER,
        ),
    )
    activity.mine()
    ask(first, 1)
    ask(second, 0)
    indexer.catch_up()
    found = queries.access_requests(message.dataset_id, limit=2)
    found["items"] += queries.access_requests(message.dataset_id, limit=2, cursor=found["next"])["items"]
    assert [(one["grantee"], one["purpose"], one["granted"]) for one in found["items"]] == [
        (str(activity.address(second)), "0", False),
        (str(activity.address(first)), "1", False),
        (str(activity.address(first)), "0", True),
    ]
