"""The work of honest owners during the load, and how long they wait."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from registry.base.primitives import ZERO_BYTES32, Bytes32
from registry.ethereum.eip712 import Message
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import Verified, blocks_to_vouch_for, verify
from registry.keys.signer import Signer
from registry.rooms.access.messages import AccessGrant, AccessRevocation
from registry.rooms.datasets.events import REGISTERED
from registry.rooms.protocols import PROTOCOLS
from registry.sdk.operations.receipts import path_of
from registry.sdk.signing import Signed
from scripts.strangers.target import FAR_SECONDS, Target, account

PAUSE = 0.5
PATIENCE = 60.0


@dataclass
class Waits:
    """The times that honest owners waited.

    Args:
        writes: Seconds until each write was acknowledged.
        evidence: Seconds until each evidence bundle was received.
        audits: Seconds until the victim's events were received, read from the chain as an auditor does.
        receipts: The receipt ids of the acknowledged writes.
        refused: The failed requests: request, status, duration, and the beginning of the body.
        verified: The verified content of each bundle.
    """

    writes: list[float] = field(default_factory=list)
    evidence: list[float] = field(default_factory=list)
    audits: list[float] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    verified: list[Verified] = field(default_factory=list)


def work(target: Target, seed: int, seconds: float, owners: Sequence[Signer] = (), pause: float = PAUSE) -> Waits:
    """Register, grant, revoke and fetch the victim's evidence, one after the other, for some time.

    Args:
        target: The gateway and the victim.
        seed: The seed of the registrations.
        seconds: The duration.
        owners: The owners who register in turn; empty means a new key each time.
        pause: Seconds between two rounds.
    """
    chance = random.Random(f"{seed} honest")
    turns = itertools.cycle(owners)
    waits = Waits()
    end = time.monotonic() + seconds
    with httpx.Client(base_url=target.url, timeout=60.0, trust_env=False) as http:
        while time.monotonic() < end:
            owner = next(turns, None) or account(f"honest {chance.getrandbits(64)}")
            with _counted(waits):
                _register_and_grant(target, http, owner, chance, waits)
            with _counted(waits):
                _fetch_evidence(target, http, waits)
            with _counted(waits):
                _audit(target, http, waits)
            time.sleep(max(0.0, min(pause, end - time.monotonic())))
    return waits


@contextmanager
def _counted(waits: Waits) -> Iterator[None]:
    """Count a request without an answer as refused."""
    try:
        yield
    except httpx.TransportError as error:
        waits.refused.append(f"{error.request.method} {error.request.url.path}: {type(error).__name__}")


def _register_and_grant(target: Target, http: httpx.Client, owner: Signer, chance: random.Random, waits: Waits) -> None:
    registration = target.registration_of(owner.address, chance)
    receipt = _write(http, target.signed(registration, owner), waits)
    if receipt is None or not _is_mined(http, receipt):
        return
    grantee = account(f"grantee {chance.getrandbits(64)}").address
    grant = AccessGrant(
        dataset_id=registration.dataset_id,
        grantee=grantee,
        rights=1,
        starts_at=0,
        expires_at=target.deadline + FAR_SECONDS,
        terms_hash=ZERO_BYTES32,
        epoch=0,
        deadline=target.deadline,
    )
    receipt = _write(http, target.signed(grant, owner), waits)
    if receipt is None or not _is_mined(http, receipt):
        return
    revocation = AccessRevocation(
        dataset_id=registration.dataset_id, grantee=grantee, epoch=1, deadline=target.deadline
    )
    _write(http, target.signed(revocation, owner), waits)


def _write(http: httpx.Client, signed: Signed[Message], waits: Waits) -> str | None:
    path = path_of(signed.message)
    answer = _timed(waits.writes, lambda: http.post(path, json=signed.body()))
    if answer.status_code != httpx.codes.ACCEPTED:
        waits.refused.append(f"POST {path}: {_told(answer)}")
        return None
    receipt = str(answer.json()["id"])
    waits.receipts.append(receipt)
    return receipt


def _is_mined(http: httpx.Client, receipt: str) -> bool:
    answer = http.get(f"/v1/receipts/{receipt}", params={"wait": 30})
    return answer.is_success and answer.json()["status"] in ("mined", "final")


def _fetch_evidence(target: Target, http: httpx.Client, waits: Waits) -> None:
    answer = _timed(waits.evidence, lambda: _patiently(http, f"/v1/datasets/{target.small}/evidence"))
    if not answer.is_success:
        waits.refused.append(f"GET evidence: {_told(answer)}")
        return
    heights = sorted(blocks_to_vouch_for(answer.content, PROTOCOLS))
    calls = [
        {"jsonrpc": "2.0", "id": height, "method": "eth_getBlockByNumber", "params": [hex(height), False]}
        for height in heights
    ]
    blocks = http.post("/rpc", json=calls).json()
    trust = PinnedBlocks({Bytes32.parse(block["result"]["hash"]) for block in blocks}, target.chain_id)
    waits.verified.append(verify(answer.content, trust, PROTOCOLS))


def _audit(target: Target, http: httpx.Client, waits: Waits) -> None:
    """Ask the chain for the victim's events, as `tdr verify` does."""
    wanted = {
        "address": str(target.contracts["DatasetRegistry"]),
        "topics": [str(REGISTERED), str(target.small)],
        "fromBlock": "0x0",
        "toBlock": "latest",
    }
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]}
    answer = _timed(waits.audits, lambda: http.post("/rpc", json=call))
    if not answer.is_success or len(answer.json().get("result", ())) != 1:
        waits.refused.append(f"POST /rpc: {_told(answer)}")


def _patiently(http: httpx.Client, path: str) -> httpx.Response:
    """Repeat a request while the gateway is busy, after the delay that it states."""
    end = time.monotonic() + PATIENCE
    while (answer := http.get(path)).status_code == httpx.codes.SERVICE_UNAVAILABLE and time.monotonic() < end:
        time.sleep(float(answer.headers["retry-after"]))
    return answer


def _told(answer: httpx.Response) -> str:
    return f"{answer.status_code} after {answer.elapsed.total_seconds():.3f} s: {answer.text[:300]}"


def _timed(waits: list[float], ask: Callable[[], httpx.Response]) -> httpx.Response:
    started = time.perf_counter()
    try:
        return ask()
    finally:
        waits.append(time.perf_counter() - started)
