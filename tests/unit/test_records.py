"""Records are the fold of events; a fold that cannot be a contract's history is refused."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.logs import Log, Moment
from registry.rooms.access import events as access_events
from registry.rooms.access.records import fold as fold_access
from registry.rooms.access.records import rights_mask, rights_names
from registry.rooms.datasets import events
from registry.rooms.datasets.head import NO_HEAD
from registry.rooms.datasets.messages import Source, dataset_id_of
from registry.rooms.datasets.records import fold

OWNER = Address(b"\x01" * 20)
HEIR = Address(b"\x02" * 20)
ROOT = Bytes32(b"\x03" * 32)
META = Bytes32(b"\x04" * 32)
SALT = Bytes32(b"\x05" * 32)
ID = dataset_id_of(OWNER, ROOT, SALT)
SOURCE = Source(dataset_id=DatasetId(b"\x06" * 32), version=7)

bytes32s = st.binary(min_size=32, max_size=32).map(Bytes32)
sources = st.lists(st.tuples(bytes32s, st.integers(1, 2**24 - 1)), max_size=4).map(
    lambda pairs: tuple(Source(dataset_id=DatasetId(one), version=number) for one, number in pairs)
)


def moment(timestamp: int, log_index: int = 0) -> Moment:
    return Moment(timestamp, log_index, timestamp, Bytes32(bytes(32)), Bytes32(bytes(32)))


def word(value: bytes) -> Bytes32:
    return Bytes32(value.rjust(32, b"\0"))


@given(bytes32s, bytes32s, bytes32s, bytes32s, st.binary(max_size=100), sources)
def test_a_registered_log_reads_as_eth_abi_wrote_it(
    dataset: Bytes32, root: Bytes32, meta: Bytes32, salt: Bytes32, uri: bytes, derived: tuple[Source, ...]
) -> None:
    data = encode(
        ["bytes32", "bytes32", "bytes", "(uint256,uint24)[]"],
        [meta, salt, uri, [(int(source.dataset_id), source.version) for source in derived]],
    )
    log = Log(OWNER, (events.REGISTERED, dataset, word(OWNER), root), data)
    assert events.decode(log) == events.Registered(DatasetId(dataset), OWNER, root, meta, salt, uri, derived)


@pytest.mark.parametrize("cut", [1, 31, 32, 64, 160])
def test_a_log_cut_short_is_refused(cut: int) -> None:
    data = encode(["bytes32", "bytes32", "bytes", "(uint256,uint24)[]"], [META, SALT, b"uri", [(1, 1)]])
    with pytest.raises(InvalidInput, match="ABI"):
        events.decode(Log(OWNER, (events.REGISTERED, ID, word(OWNER), ROOT), data[:-cut]))


def test_the_head_of_a_history_is_the_documented_hash_chain() -> None:
    uri, source = b"https://example.org/\xff", SOURCE
    sources_hash = keccak(encode(["(uint256,uint24)[]"], [[(int(source.dataset_id), 7)]]))
    step = keccak(keccak(b"tdr.registration") + ID + word(OWNER) + ROOT + META + keccak(uri) + sources_hash)
    first = keccak(bytes(32) + step)[:28] + (1).to_bytes(3, "big") + b"\0"
    head = NO_HEAD.after_registration(ID, OWNER, ROOT, META, uri, (source,))
    assert head == first
    second = keccak(first + keccak(keccak(b"tdr.transfer") + word(OWNER) + word(HEIR)))[:28] + first[28:]
    assert head.after_transfer(OWNER, HEIR) == second
    empty = keccak(encode(["(uint256,uint24)[]"], [[]]))
    third = keccak(second + keccak(keccak(b"tdr.revision") + META + ROOT + keccak(b"") + empty))[:28]
    revised = head.after_transfer(OWNER, HEIR).after_revision(META, ROOT, b"", ())
    assert revised == third + (2).to_bytes(3, "big") + b"\0"
    last = keccak(revised + keccak(keccak(b"tdr.withdrawal") + keccak(b"why")))[:28]
    withdrawn = revised.after_withdrawal(b"why")
    assert withdrawn == last + (2).to_bytes(3, "big") + b"\1"
    assert (withdrawn.version, withdrawn.is_withdrawn, revised.is_withdrawn) == (2, True, False)


REGISTERED = events.Registered(ID, OWNER, ROOT, META, SALT, b"", ())


def test_a_whole_history_folds() -> None:
    dataset = fold(None, REGISTERED, moment(1, 1))
    dataset = fold(dataset, events.Transferred(ID, OWNER, HEIR), moment(2))
    dataset = fold(dataset, events.Revised(ID, 2, META, META, b"\xff", (SOURCE,)), moment(3))
    dataset = fold(dataset, events.Withdrawn(ID, "撤回".encode()), moment(4))
    assert dataset is not None
    assert (dataset.owner, dataset.latest.number, dataset.latest.uri) == (HEIR, 2, "\\xff")
    assert [title.owner for title in dataset.titles] == [OWNER, HEIR]
    assert dataset.withdrawal is not None
    assert dataset.withdrawal.reason == "撤回"


@pytest.mark.parametrize(
    "event",
    [
        REGISTERED,
        events.Revised(ID, 3, META, META, b"", ()),
        events.Revised(ID, 1, META, META, b"", ()),
        events.Transferred(ID, HEIR, OWNER),
        events.Withdrawn(DatasetId(b"\x09" * 32), b""),
    ],
)
def test_an_event_that_cannot_follow_is_refused(event: events.DatasetEvent) -> None:
    dataset = fold(None, REGISTERED, moment(1))
    with pytest.raises(InvalidInput):
        fold(dataset, event, moment(2))


def test_a_history_without_its_registration_is_refused() -> None:
    with pytest.raises(InvalidInput, match="does not begin"):
        fold(None, events.Withdrawn(ID, b""), moment(1))


def granted(epoch: int, starts: int, ends: int) -> access_events.AccessGranted:
    return access_events.AccessGranted(ID, HEIR, 3, starts, ends, META, epoch)


def test_c8_access_holds_exactly_from_start_to_expiry_or_revocation() -> None:
    """C8: granted, started, not expired, not revoked."""
    access = fold_access(None, granted(1, 10, 20), moment(5))
    assert [time for time in range(30) if access.grant_at(time)] == list(range(10, 20))
    revoked = fold_access(access, access_events.AccessRevoked(ID, HEIR, 2), moment(15))
    assert [time for time in range(30) if revoked.grant_at(time)] == list(range(10, 15))
    again = fold_access(revoked, granted(3, 18, 25), moment(17))
    assert [time for time in range(30) if again.grant_at(time)] == [*range(10, 15), *range(18, 25)]
    early = fold_access(access, access_events.AccessRevoked(ID, HEIR, 2), moment(7))
    assert not any(early.grant_at(time) for time in range(30))


def test_a_later_grant_replaces_the_earlier_from_its_block_on() -> None:
    access = fold_access(fold_access(None, granted(1, 10, 20), moment(5)), granted(2, 15, 30), moment(12))
    held = {time: grant.expires_at for time in range(40) if (grant := access.grant_at(time))}
    assert held == {10: 20, 11: 20} | dict.fromkeys(range(15, 30), 30)
    assert [grant.is_revoked for grant in access.grants] == [False, False]


@pytest.mark.parametrize("event", [granted(3, 1, 2), granted(1, 1, 2), access_events.AccessRevoked(ID, HEIR, 3)])
def test_an_access_event_out_of_order_is_refused(event: access_events.AccessEvent) -> None:
    access = fold_access(None, granted(1, 10, 20), moment(5))
    with pytest.raises(InvalidInput, match="cannot follow"):
        fold_access(access, event, moment(6))


def test_rights_have_names() -> None:
    assert rights_mask(["derive", "read"]) == 3
    assert rights_names(1 | 1 << 31) == ("read", "bit-31")
    with pytest.raises(InvalidInput, match="Unknown right 'fly'"):
        rights_mask(["fly"])
    with pytest.raises(InvalidInput, match="No right"):
        rights_mask([])
