"""Every kind of load that once harmed others, each at a rate that one person with one machine can sustain.

A kind is a coroutine that makes one attempt and returns its outcome: an HTTP status, or "abandoned".
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from registry.base.primitives import ZERO_BYTES32, Bytes32
from registry.rooms.datasets.events import REGISTERED
from registry.rooms.datasets.messages import Registration
from registry.rooms.datasets.statements import Publication
from scripts.strangers.target import Target, account

EMPTY_OBJECTS: Final = b"{}," * ((32 * 2**20 - 200) // 3)
"""The most values in a body of the largest size."""
ONE_STRING: Final = b"," * (32 * 2**20 - 200)
UNREAD_SECONDS: Final = 20.0
"""The time for which an answer is left unread before the connection is closed."""
PAIR: Final = b"".join(
    number.to_bytes(32, "big")
    for number in (
        1,
        2,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
    )
)
"""The generators of both groups as a pair for the pairing precompile (EIP-197)."""
PAIRS: Final = 8
_LENGTH: Final = f"61{len(PAIR) * PAIRS:04x}"  # PUSH2
_COPY: Final = f"{_LENGTH}601a600039"  # CODECOPY(to 0, from 26, length): the pairs follow the code.
_CHECK: Final = f"5b60006000{_LENGTH}600060085afa50600856"  # JUMPDEST; STATICCALL(gas, 8, 0, length, 0, 0); POP; JUMP
MANY_ZEROS: Final = "0x620186a06000fd"  # PUSH3 100,000; PUSH1 0; REVERT
PAIRING_CODE: Final = bytes.fromhex(_COPY + _CHECK) + PAIR * PAIRS
"""Checks pairings until the gas is used up."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of load.

    Args:
        name: Its name.
        attempt: Make one attempt.
        per_second: The attempts per second.
        at_once: The most concurrent attempts; further ones are skipped.
    """

    name: str
    attempt: Callable[[Target, httpx.AsyncClient, random.Random], Awaitable[object]]
    per_second: float
    at_once: int


async def ask_for_access(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Request access with a key that is used once."""
    by = account(f"stranger {chance.getrandbits(64)}")
    return await _post(http, f"/v1/datasets/{target.small}/requests", target.body(target.request(by, 0), by))


async def repeat_without_a_key(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Post the victim's message again, with another deadline and an invalid signature."""
    message = target.registration.to_json() | {"deadline": chance.randrange(1, target.deadline)}
    return await _post(http, "/v1/datasets", {"message": message, "signature": "0x" + "11" * 4096})


async def publish_for_others(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Post the victim's own public message and signature with an unpublished document of the victim."""
    body = {"message": target.registration.to_json(), "signature": target.signature, "metadata": target.metadata}
    return await _post(http, "/v1/datasets", body)


async def register_the_same_hashes(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Register another dataset with the victim's hashes, and publish the victim's document for it."""
    by = account(f"stranger {chance.getrandbits(64)}")
    message = Registration(
        owner=by.address,
        content_root=target.registration.content_root,
        metadata_hash=target.registration.metadata_hash,
        uri="",
        salt=Bytes32(chance.randbytes(32)),
        sources=(),
        deadline=target.deadline,
    )
    statement = Publication(
        dataset_id=message.dataset_id,
        version=1,
        content_root=ZERO_BYTES32,
        metadata_hash=message.metadata_hash,
        deadline=target.deadline,
    )
    documents = {"metadata": target.metadata, "publication": target.body(statement, by)}
    return await _post(http, "/v1/datasets", target.body(message, by, **documents))


async def send_many_values(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Send 32 MiB of empty objects."""
    return await _post_metadata(http, b"[" + EMPTY_OBJECTS + b"{}]")


async def send_one_string(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Send 32 MiB of commas in one string."""
    return await _post_metadata(http, b'"' + ONE_STRING + b'"')


async def leave_manifests_unread(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Request the manifest of many files without reading it."""
    return await _abandon(target, f"/v1/manifests/{target.large_root}", None, UNREAD_SECONDS)


async def leave_answers_unread(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Request 20 MB in a hundred calls without reading them."""
    calls = [_call("eth_call", [{"data": MANY_ZEROS, "gas": hex(100_000)}, "latest"])] * 100
    return await _abandon(target, "/rpc", calls, UNREAD_SECONDS)


async def ask_for_many_percentiles(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Request the fees of 1,024 blocks at as many percentiles as fit into 64 kB."""
    return await _rpc(http, _call("eth_feeHistory", ["0x400", "latest", [50] * 20_000]))


async def ask_for_all_logs_a_hundred_times(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Request every log, a hundred times in one array."""
    return await _rpc(http, [_call("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest"}])] * 100)


async def abandon_log_queries(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Request logs that match every bloom filter but no log, and disconnect."""
    query = {"fromBlock": "0x0", "toBlock": "latest", "topics": [None, str(REGISTERED)]}
    return await _abandon(target, "/rpc", [_call("eth_getLogs", [query])] * 100)


async def call_pairings(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Create a contract that only checks pairings, in a call."""
    return await _rpc(http, _call("eth_call", [{"data": f"0x{PAIRING_CODE.hex()}", "gas": "0x1000000"}, "latest"]))


async def abandon_evidence(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Request the evidence of one file of many, and disconnect."""
    return await _abandon(target, f"/v1/datasets/{target.large}/evidence?file={target.large_path}", None)


async def wait_for_a_block(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Wait for a block that will not come soon."""
    newest = (await http.get("/v1/datasets", params={"limit": 1})).json()["asOfBlock"]
    height = int(newest) + chance.randrange(2, 200)
    answer = await http.get(f"/v1/datasets/{target.small}", params={"min_block": height})
    return answer.status_code


async def wait_for_the_last_block(target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
    """Wait for a block that never comes."""
    answer = await http.get(f"/v1/datasets/{target.small}", params={"min_block": 2**63 - 2})
    return answer.status_code


KINDS: Final = (
    Kind("request for access by a throw-away key", ask_for_access, 20, 8),
    Kind("repeated message without a key", repeat_without_a_key, 10, 4),
    Kind("document of another's dataset", publish_for_others, 5, 2),
    Kind("dataset with another's hashes", register_the_same_hashes, 2, 2),
    Kind("32 MiB of empty objects", send_many_values, 0.5, 6),
    Kind("32 MiB in one string", send_one_string, 0.2, 2),
    Kind("manifest of many files, unread", leave_manifests_unread, 1, 40),
    Kind("20 MB of calls, unread", leave_answers_unread, 0.2, 10),
    Kind("20,000 percentiles", ask_for_many_percentiles, 2, 2),
    Kind("100 queries for all logs", ask_for_all_logs_a_hundred_times, 0.5, 2),
    Kind("abandoned queries for logs", abandon_log_queries, 2, 16),
    Kind("pairings in a call", call_pairings, 1, 2),
    Kind("abandoned evidence of one file of many", abandon_evidence, 4, 40),
    Kind("wait for a block to come", wait_for_a_block, 10, 300),
    Kind("wait for a block that never comes", wait_for_the_last_block, 5, 100),
)


async def load(kinds: Sequence[Kind], target: Target, seed: int, seconds: float) -> dict[str, Counter[str]]:
    """Put kinds of load on a gateway for some time; return the outcomes of the attempts by kind."""
    outcomes = {kind.name: Counter[str]() for kind in kinds}
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=target.url, timeout=60.0, limits=limits, trust_env=False) as http,
        asyncio.timeout(seconds + 90.0),
        asyncio.TaskGroup() as group,
    ):
        for kind in kinds:
            chance = random.Random(f"{seed} {kind.name}")
            group.create_task(_repeat(kind, target, http, chance, seconds, outcomes[kind.name]))
    return outcomes


async def _repeat(
    kind: Kind,
    target: Target,
    http: httpx.AsyncClient,
    chance: random.Random,
    seconds: float,
    outcomes: Counter[str],
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    running: set[asyncio.Task[None]] = set()

    async def one() -> None:
        try:
            outcomes[str(await kind.attempt(target, http, chance))] += 1
        except (httpx.TransportError, OSError, KeyError) as error:  # KeyError: the answer has another form.
            outcomes[type(error).__name__] += 1

    while loop.time() < end:
        if len(running) < kind.at_once:
            task = asyncio.create_task(one())
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(1 / kind.per_second)
    if running:
        await asyncio.wait(running, timeout=75.0)


async def _post(http: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> object:
    return (await http.post(path, json=body)).status_code


async def _post_metadata(http: httpx.AsyncClient, value: bytes) -> object:
    body = b'{"message":{},"signature":"0x","metadata":{"a":' + value + b"}}"
    answer = await http.post("/v1/datasets", content=body, headers={"Content-Type": "application/json"})
    return answer.status_code


async def _rpc(http: httpx.AsyncClient, body: object) -> object:
    answer = await http.post("/rpc", json=body)
    has_error = b'"error"' in answer.content[:10_000]
    return f"{answer.status_code} {'error' if has_error else 'result'}"


def _call(method: str, parameters: list[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": secrets.randbelow(2**31), "method": method, "params": parameters}


async def _abandon(target: Target, path: str, body: object, seconds: float = 0.05) -> object:
    """Send a request and close the connection without reading the answer.

    Args:
        target: The gateway.
        path: The path of the request.
        body: The body of a POST; None means a GET.
        seconds: The time until it is closed; long enough for the request to begin.
    """
    where = urlsplit(target.url)
    encoded = b"" if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "POST"
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {where.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(where.hostname, where.port, limit=2**12)
    writer.write(head.encode() + encoded)
    await writer.drain()
    await asyncio.sleep(seconds)
    writer.close()
    return "abandoned"
