"""Both contracts compared with a model: after any actions they agree, and the events fold to the state.

The model says for each call whether it has its effect or with which error it is refused. After each call what the
contracts know of its dataset is compared with the model, and in the end what they know of all: so what is refused has
changed nothing (C6), no dataset vanishes (C1), titles and versions change only where the owner said so (C2, C3), and
access holds exactly as granted (C8).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from web3.types import TxReceipt

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.logs import Log, Moment
from registry.rooms.access import events as access_events
from registry.rooms.access.records import Access
from registry.rooms.access.records import fold as fold_access
from registry.rooms.datasets import events as dataset_events
from registry.rooms.datasets.records import Dataset, fold
from tests.fixtures.randomness import draws

from .heads import dataset_id, first_head, revised_head, transferred_head, withdrawn_head
from .world import Message, World

PEOPLE = st.integers(0, 3)
ACTORS = st.none() | st.none() | st.none() | PEOPLE  # None: whoever it is that may
DATASETS = st.integers(0, 2)
GRANTEES = st.integers(2, 3)
SIGNED = st.booleans()
RIGHTS = st.sampled_from([0, 1, 3, 2**32 - 1])


@dataclass
class Title:
    """What the model knows of a dataset."""

    owner: int
    head: bytes
    version: int = 1
    withdrawn: bool = False
    approved: int | None = None


@dataclass
class Pair:
    """What the model knows of a (dataset, grantee)."""

    rights: int = 0
    starts_at: int = 0
    expires_at: int = 0
    epoch: int = 0
    requests: int = 0
    revoked: bool = False


@dataclass
class Model:
    """All that happened, as far as it still matters."""

    titles: dict[int, Title] = field(default_factory=dict)
    pairs: dict[tuple[int, int], Pair] = field(default_factory=dict)
    operators: set[tuple[int, int]] = field(default_factory=set)

    def may(self, actor: int, owner: int, *, signed: bool) -> bool:
        """Whether an actor's call, or signature, counts for an owner."""
        return actor == owner or (not signed and (owner, actor) in self.operators)


class Contracts(RuleBasedStateMachine):
    """Random people doing random things, among them much that is not allowed."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.snapshot = self.world.tester.take_snapshot()
        self.people = [self.world.owner, self.world.other, self.world.third, self.world.operator]
        self.model = Model()
        self.logs: list[tuple[Log, Moment]] = []
        self.touched: set[int] = set()
        self.register(0, False, False)

    def teardown(self) -> None:
        if hasattr(self, "snapshot"):
            self.compare(self.model.titles)
            self.check_that_the_events_fold_to_the_state()
            self.world.tester.revert_to_snapshot(self.snapshot)

    # What people do. Each says what should come of it, then does it.

    @rule(owner=PEOPLE, signed=SIGNED, derived=st.booleans())
    def register(self, owner: int, signed: bool, derived: bool) -> None:
        titles = sorted(self.model.titles.items())[:3] if derived else []
        sources = [{"datasetId": one, "version": title.version} for one, title in titles]
        message = self.world.registration(self.people[owner].address, sources=sources)
        self.attempt("Registration", message, owner, signed, None)
        self.touched = {dataset_id(message)}
        self.model.titles[dataset_id(message)] = Title(owner, first_head(message))

    @rule(which=DATASETS, actor=ACTORS, signed=SIGNED)
    def revise(self, which: int, actor: int | None, signed: bool) -> None:
        one, title = self.pick(which)
        actor = title.owner if actor is None else actor
        message = self.world.revision(one, sources=[{"datasetId": one, "version": title.version}])
        refusal = "DatasetWithdrawn" if title.withdrawn else self.unauthorised(actor, title, signed)
        if self.attempt("Revision", message, actor, signed, refusal):
            title.head = revised_head(title.head, message)
            title.version += 1

    @rule(which=DATASETS, actor=ACTORS, to=PEOPLE, signed=SIGNED)
    def transfer(self, which: int, actor: int | None, to: int, signed: bool) -> None:
        one, title = self.pick(which)
        actor = title.owner if actor is None else actor
        message = self.world.title_transfer(one, self.people[to].address)
        if self.attempt("TitleTransfer", message, actor, signed, self.unauthorised(actor, title, signed)):
            self.passed_on(title, to)

    @rule(which=DATASETS, actor=ACTORS, to=PEOPLE)
    def transfer_by_the_standard(self, which: int, actor: int | None, to: int) -> None:
        one, title = self.pick(which)
        actor = title.owner if actor is None else actor
        owner = self.people[title.owner].address
        call = self.world.registry.functions.transferFrom(owner, self.people[to].address, one)
        allowed = self.model.may(actor, title.owner, signed=False) or title.approved == actor
        if self.attempt_call(call, self.people[actor], None if allowed else "ERC721InsufficientApproval"):
            self.passed_on(title, to)

    @rule(which=DATASETS, actor=ACTORS, signed=SIGNED, seldom=st.integers(0, 5))
    def withdraw(self, which: int, actor: int | None, signed: bool, seldom: int) -> None:
        if seldom:  # a withdrawn dataset has little left to try
            return
        one, title = self.pick(which)
        actor = title.owner if actor is None else actor
        message = self.world.withdrawal(one)
        refusal = "DatasetWithdrawn" if title.withdrawn else self.unauthorised(actor, title, signed)
        if self.attempt("Withdrawal", message, actor, signed, refusal):
            title.head = withdrawn_head(title.head, message["reason"])
            title.withdrawn = True

    @rule(which=DATASETS, actor=ACTORS, spender=PEOPLE)
    def approve(self, which: int, actor: int | None, spender: int) -> None:
        one, title = self.pick(which)
        actor = title.owner if actor is None else actor
        call = self.world.registry.functions.approve(self.people[spender].address, one)
        allowed = self.model.may(actor, title.owner, signed=False)
        if self.attempt_call(call, self.people[actor], None if allowed else "ERC721InvalidApprover"):
            title.approved = spender

    @rule(owner=PEOPLE, operator=PEOPLE, approved=st.booleans())
    def set_operator(self, owner: int, operator: int, approved: bool) -> None:
        call = self.world.registry.functions.setApprovalForAll(self.people[operator].address, approved)
        self.attempt_call(call, self.people[owner], None)
        (self.model.operators.add if approved else self.model.operators.discard)((owner, operator))

    @rule(which=DATASETS, grantee=GRANTEES, actor=ACTORS, signed=SIGNED, rights=RIGHTS)
    def request(self, which: int, grantee: int, actor: int | None, signed: bool, rights: int) -> None:
        one, title = self.pick(which)
        actor = grantee if actor is None else actor
        message = self.world.request(one, self.people[grantee].address, rights=rights)
        refusal = self.not_by(actor, grantee, signed)
        refusal = refusal or ("DatasetWithdrawn" if title.withdrawn else None) or (None if rights else "RightsEmpty")
        if self.attempt("AccessRequest", message, actor, signed, refusal):
            self.pair(one, grantee).requests += 1

    @rule(
        which=DATASETS,
        grantee=GRANTEES,
        actor=ACTORS,
        signed=SIGNED,
        rights=RIGHTS,
        term=st.integers(-20, 300),
    )
    def grant(self, which: int, grantee: int, actor: int | None, signed: bool, rights: int, term: int) -> None:
        one, title = self.pick(which)
        actor = title.owner if actor is None else actor
        starts_at = self.world.now + 10 * (term % 5)
        message = self.world.grant(
            one, self.people[grantee].address, rights=rights, startsAt=starts_at, expiresAt=starts_at + term
        )
        refusal = ("DatasetWithdrawn" if title.withdrawn else None) or self.unauthorised(actor, title, signed)
        refusal = refusal or (None if rights else "RightsEmpty")
        # The next block is a second later than now: a term that ends by then is empty.
        refusal = refusal or ("TermEmpty" if starts_at + term <= max(starts_at, self.world.now + 1) else None)
        if receipt := self.attempt("AccessGrant", message, actor, signed, refusal):
            pair = self.pair(one, grantee)
            pair.rights, pair.revoked = rights, False
            pair.starts_at, pair.expires_at = max(starts_at, self.time_of(receipt)), starts_at + term
            pair.epoch += 1

    @rule(which=DATASETS, actor=ACTORS, signed=SIGNED)
    def revoke(self, which: int, actor: int | None, signed: bool) -> None:
        pairs = [*self.model.pairs] or [(self.pick(0)[0], 2)]
        one, grantee = pairs[which % len(pairs)]
        title, self.touched = self.model.titles[one], {one}
        actor = title.owner if actor is None else actor
        message = self.world.revocation(one, self.people[grantee].address)
        pair = self.pair(one, grantee)
        nothing = pair.epoch == 0 or pair.revoked
        refusal = "NothingToRevoke" if nothing else self.unauthorised(actor, title, signed)
        if receipt := self.attempt("AccessRevocation", message, actor, signed, refusal):
            pair.expires_at = min(pair.expires_at, self.time_of(receipt))
            pair.revoked = True
            pair.epoch += 1

    @rule(which=DATASETS, fault=st.sampled_from(["stale head", "late", "unknown"]))
    def revise_wrongly(self, which: int, fault: str) -> None:
        one, title = self.pick(which)
        message = self.world.revision(one)
        match fault:
            case "stale head":
                message["head"] = self.world.word()
            case "late":
                message["deadline"] = self.world.now - 1
            case "unknown":
                message["datasetId"] = one ^ 1
        refusal = {"stale head": "HeadMismatch", "late": "DeadlinePassed", "unknown": "DatasetUnknown"}[fault]
        self.attempt("Revision", message, title.owner, False, refusal)

    @rule(seconds=st.integers(1, 200))
    def time_passes(self, seconds: int) -> None:
        self.world.travel(self.world.now + seconds)
        self.world.tester.mine_block()

    # What is compared after each.

    @invariant()
    def contracts_agree_with_the_model(self) -> None:
        self.compare(self.touched)
        self.touched = set()

    def compare(self, datasets: Collection[int]) -> None:
        """Compare all that the contracts know of some datasets."""
        world = self.world
        for one in datasets:
            title = self.model.titles[one]
            assert world.title(one) == (self.people[title.owner].address, title.head)
        for (one, grantee), pair in self.model.pairs.items():
            if one not in datasets:
                continue
            address = self.people[grantee].address
            assert world.counters(one, address) == (pair.epoch, pair.requests)
            for time in (world.now, pair.starts_at, pair.expires_at):
                held = pair.starts_at <= time < pair.expires_at
                assert world.access(one, address, time) == (held, pair.rights, pair.starts_at, pair.expires_at)

    def check_that_the_events_fold_to_the_state(self) -> None:
        """C12: state = fold of the events, by the fold that the registry itself uses."""
        records: dict[DatasetId, Dataset | None] = {}
        accesses: dict[tuple[DatasetId, Address], Access] = {}
        for log, at in self.logs:
            if log.address == Address.parse(self.world.registry.address):
                event = dataset_events.decode(log)
                if event is not None:
                    records[event.dataset_id] = fold(records.get(event.dataset_id), event, at)
                continue
            access = access_events.decode(log)
            assert access is not None
            key = (access.dataset_id, access.grantee)
            accesses[key] = fold_access(accesses.get(key), access, at)
        assert {int(one) for one in records} == set(self.model.titles)
        for record in filter(None, records.values()):
            title = self.model.titles[int(record.dataset_id)]
            assert record.head == title.head
            assert str(record.owner) == self.people[title.owner].address
            assert record.latest.number == title.version
            assert (record.withdrawal is not None) == title.withdrawn
        for (one, grantee), known in accesses.items():
            assert self.world.counters(int(one), str(grantee)) == (known.epoch, len(known.requests))
            for latest in known.grants[-1:]:
                for time in (latest.starts_at - 1, latest.starts_at, latest.until - 1, latest.until):
                    allowed, rights, *_ = self.world.access(int(one), str(grantee), time)
                    assert (allowed, rights) == (latest.holds_at(time), latest.rights)

    # How it is done.

    def pick(self, which: int) -> tuple[int, Title]:
        one = list(self.model.titles)[which % len(self.model.titles)]
        self.touched = {one}
        return one, self.model.titles[one]

    def pair(self, one: int, grantee: int) -> Pair:
        return self.model.pairs.setdefault((one, grantee), Pair())

    def passed_on(self, title: Title, to: int) -> None:
        title.head = transferred_head(title.head, self.people[title.owner].address, self.people[to].address)
        title.owner, title.approved = to, None

    def unauthorised(self, actor: int, title: Title, signed: bool) -> str | None:
        if self.model.may(actor, title.owner, signed=signed):
            return None
        return "SignatureNotBySigner" if signed else "NotAuthorised"

    @staticmethod
    def not_by(actor: int, needed: int, signed: bool) -> str | None:
        if actor == needed:
            return None
        return "SignatureNotBySigner" if signed else "NotAuthorised"

    def attempt(self, kind: str, message: Message, actor: int, signed: bool, refusal: str | None) -> TxReceipt | None:
        """Sends a message, directly or signed and relayed."""
        person = self.people[actor]
        signature = self.world.sign(person, kind, message) if signed else b""
        return self.attempt_call(
            self.world.call(kind, message, signature), self.world.relayer if signed else person, refusal
        )

    def attempt_call(self, call: Any, sender: LocalAccount, refusal: str | None) -> TxReceipt | None:
        """Sends a call; checks that it is refused as expected (None: not at all)."""
        if refusal is not None:
            assert self.world.refusal(call, sender).name == refusal
            return None
        receipt = self.world.send(call, sender)
        for log in receipt["logs"]:
            raw = Log(
                Address.parse(log["address"]), tuple(Bytes32(topic) for topic in log["topics"]), bytes(log["data"])
            )
            at = Moment(
                receipt["blockNumber"],
                log["logIndex"],
                self.time_of(receipt),
                Bytes32(receipt["blockHash"]),
                Bytes32(receipt["transactionHash"]),
            )
            self.logs.append((raw, at))
        return receipt

    def time_of(self, receipt: TxReceipt) -> int:
        return int(self.world.w3.eth.get_block(receipt["blockNumber"])["timestamp"])


@pytest.mark.long
def test_contracts_and_model_agree(session_world: World) -> None:
    """C1, C2, C3, C6, C8 and C12 over random histories."""
    Contracts.world = session_world
    run_state_machine_as_test(
        Contracts,
        settings=settings(max_examples=draws(6, 15), stateful_step_count=40, suppress_health_check=list(HealthCheck)),
    )
