"""C8 and C15 over every history of four acts on one (dataset, grantee), at most one a request, beside C8 as written.

A random history seldom holds the sequences that tell two contracts apart (grant, revoke, grant, revoke; a shorter grant
after a longer one), so none is left to chance: the histories form a tree, and a snapshot takes the chain back up it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .world import Refusal, World

LENGTH = 4
TERMS: Mapping[str, int] = {"grant long": 100_000, "grant short": 50_000}
ACTS = (*TERMS, "revoke", "request")


@dataclass(frozen=True)
class Act:
    """Something that happened.

    Args:
        name: One of ACTS.
        at: The block's time, Unix seconds.
        expires_at: The end that a grant names, Unix seconds.
    """

    name: str
    at: int
    expires_at: int = 0


History = tuple[Act, ...]


def allowed(history: History, time: int) -> bool:
    """Return whether access holds: granted, started, not expired, not revoked, by the latest grant."""
    grants = [number for number, act in enumerate(history) if act.name in TERMS]
    if not grants:
        return False
    latest = history[grants[-1]]
    revoked = [act.at for act in history[grants[-1] :] if act.name == "revoke"]
    return latest.at <= time < min([latest.expires_at, *revoked])


def is_revocable(history: History) -> bool:
    """Return whether there is a grant that no revocation has ended."""
    relevant = [act.name in TERMS for act in history if act.name != "request"]
    return bool(relevant) and relevant[-1]


def counters(history: History) -> tuple[int, int]:
    """Return how many grants and revocations, and how many requests there were."""
    requests = sum(act.name == "request" for act in history)
    return len(history) - requests, requests


def test_every_history_of_four_acts_gives_the_access_that_c8_says(world: World, dataset: int) -> None:
    done, refused = _walk(world, dataset, ())
    # Counted apart from this code: by listing the words of at most four letters that follow these rules.
    assert (done, refused) == (155, 14)


def _walk(world: World, dataset: int, history: History) -> tuple[int, int]:
    """Try every act after a history, and every history that goes on from there; return how many were done, refused."""
    done = refused = 0
    for name in ACTS:
        if name == "request" and any(act.name == "request" for act in history):
            continue  # A second one tells nothing more, and would double the tree.
        if name == "revoke" and not is_revocable(history):
            call = world.call("AccessRevocation", world.revocation(dataset))
            assert world.refusal(call, world.owner) == Refusal("NothingToRevoke", (dataset, world.third.address))
            refused += 1
            continue
        snapshot = world.tester.take_snapshot()
        after = (*history, _act(world, dataset, name))
        _compare(world, dataset, after)
        more = _walk(world, dataset, after) if len(after) < LENGTH else (0, 0)
        done, refused = done + 1 + more[0], refused + more[1]
        world.tester.revert_to_snapshot(snapshot)
    return done, refused


def _act(world: World, dataset: int, name: str) -> Act:
    if name in TERMS:
        expires_at = world.now + TERMS[name]
        world.act("AccessGrant", world.grant(dataset, expiresAt=expires_at))
        return Act(name, world.now, expires_at)
    if name == "revoke":
        world.act("AccessRevocation", world.revocation(dataset))
    else:
        world.act("AccessRequest", world.request(dataset), world.third)
    return Act(name, world.now)


def _compare(world: World, dataset: int, history: History) -> None:
    """Compare the contract with C8 now, and where a term of the history ends."""
    grantee = world.third.address
    assert world.counters(dataset, grantee) == counters(history)
    ends = {act.expires_at for act in history if act.expires_at}
    for time in (history[-1].at, *(end - before for end in ends for before in (1, 0))):
        assert world.access(dataset, grantee, time)[0] is allowed(history, time), (history, time)
