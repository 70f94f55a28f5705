"""Read-only JSON-RPC: so that wallets and auditors can look past the gateway at the chain itself."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from io import BytesIO
from typing import Annotated, Any, Final

import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Body, Request, Response
from pydantic import Field, SkipValidation

from api.deps import node_of, when_gone
from api.problems import LARGE, MALFORMED, MEDIA, SLOW, UNAVAILABLE, Refused, documented
from api.routes.rpc_answers import RpcAnswer, RpcCall
from api.strict import StrictRoute
from registry.base.errors import RegistryError
from registry.chain.client import (
    INVALID_PARAMS,
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    READ_METHODS,
    SERVER_ERROR,
    Chain,
    RpcError,
)
from registry.devchain.budget import Budget, limited
from registry.devchain.calculator_process import Lane
from registry.devchain.embedded import EmbeddedChain
from registry.ethereum.eip712 import MAX_SAFE_INTEGER

MAX_CALLS: Final = 100
MAX_ANSWER_BYTES: Final = 32 * 2**20
SECONDS: Final = 5.0
"""How long one request may take of the embedded chain."""
QUICK_SECONDS: Final = 0.1
"""How long it is tried in the quick lane before it goes to the slow one, from its beginning."""
BLOCKS: Final = 1_000_000
"""How many blocks all queries for logs of one request may cover together."""
AT_ONCE: Final = 4
INVALID_REQUEST: Final = -32600

EVM_GAS: Final = 2**24
"""What all calls of one request may burn together, for py-evm needs a second for 3,000,000. It is shared equally."""
_RUNS: Final = {"eth_call": 1, "eth_estimateGas": 8}
"""How often a method may run its call: an estimate tries several limits."""

router = APIRouter(tags=["chain"], route_class=StrictRoute)
_limiter = CapacityLimiter(AT_ONCE)  # Strangers' questions may not take all threads away from writes.
_lanes: Final = {lane: CapacityLimiter(1) for lane in Lane}
"""What makes an embedded chain compute runs in a process beside this one, in each lane one request at a time."""
WAITING: Final = {Lane.QUICK: 32, Lane.SLOW: 16}
"""How many requests may wait for their turn."""
_HEAVY_METHODS: Final = frozenset({"eth_getLogs", "eth_feeHistory", "eth_getProof", "eth_getBlockReceipts", *_RUNS})

_EXAMPLES: Final = {
    "call": {"summary": "One call", "value": {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}},
    "batch": {
        "summary": "An array of calls",
        "value": [
            {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []},
            {"jsonrpc": "2.0", "id": 2, "method": "eth_getBlockByNumber", "params": ["latest", False]},
        ],
    },
}
Calls = Annotated[
    RpcCall | Annotated[list[RpcCall], Field(min_length=1, max_length=MAX_CALLS)],
    SkipValidation,
    Body(openapi_examples=_EXAMPLES),
]
"""Described as calls, but not validated: what is wrong with one is answered in JSON-RPC's own form."""


@router.post(
    "/rpc",
    summary="Ask the chain",
    operation_id="rpc",
    response_model=RpcAnswer | list[RpcAnswer],
    response_description="The result, or an error in JSON-RPC's form; an array for an array.",
    responses=documented(MALFORMED, SLOW, LARGE, MEDIA),
)
async def rpc(request: Request, calls: Calls) -> Response:
    """Answer calls of Ethereum's JSON-RPC: methods that only read, up to 100 calls in an array."""
    chain = node_of(request).chain
    gone = threading.Event()
    watching = asyncio.create_task(when_gone(request, gone.set))
    try:
        answer = await _in_turn(chain, calls, gone)
    finally:
        watching.cancel()
    return Response(answer, media_type="application/json")


async def _in_turn(chain: Chain, calls: object, gone: threading.Event) -> bytes:
    """Answer calls: light ones at once, and what computes in the quick lane, or in the slow one if that is not enough.

    Raises:
        Refused: Too many wait there.
    """
    if not isinstance(chain, EmbeddedChain) or not _compute(calls):
        answer, _ = await to_thread.run_sync(_answer, chain, calls, gone, Lane.SLOW, limiter=_limiter)
        return answer
    for lane in Lane:
        if _lanes[lane].statistics().tasks_waiting >= WAITING[lane]:
            detail = f"{WAITING[lane]} requests wait for the chain to compute."
            raise Refused(UNAVAILABLE, detail, headers={"Retry-After": "1" if lane is Lane.QUICK else "5"})
        answer, is_whole = await to_thread.run_sync(_computed, chain, calls, gone, lane, limiter=_lanes[lane])
        if is_whole:
            break
    return answer


def _compute(calls: object) -> bool:
    asked = calls if isinstance(calls, list) else [calls]
    return any(isinstance(call, dict) and str(call.get("method")) in _HEAVY_METHODS for call in asked)


def _computed(chain: EmbeddedChain, calls: object, gone: threading.Event, lane: Lane) -> tuple[bytes, bool]:
    chain.prepare(lane)
    return _answer(chain, calls, gone, lane)


def _answer(chain: Chain, calls: object, gone: threading.Event, lane: Lane) -> tuple[bytes, bool]:
    """Return the answer, and whether there was time for all of it."""
    # The time begins here, in the thread: waiting for one behind other people's requests is not this request's work.
    seconds = QUICK_SECONDS if lane is Lane.QUICK else SECONDS
    limits = Budget(seconds, BLOCKS, MAX_ANSWER_BYTES, is_abandoned=gone.is_set)
    with limited(limits):
        return _answered(chain, calls, limits, lane), not limits.is_out_of_time or gone.is_set()


def _answered(chain: Chain, calls: object, limits: Budget, lane: Lane) -> bytes:
    asked = calls if isinstance(calls, list) else [calls]
    if not 0 < len(asked) <= MAX_CALLS:
        return _error(None, INVALID_REQUEST, f"an array has 1 to {MAX_CALLS} calls")
    written = BytesIO()  # Where answers are put together as they come, a large one is not there twice.
    with closing(_answers(chain, asked, limits, lane)) as answers:
        for number, answer in enumerate(answers):
            written.write(b"," if number else b"[" if isinstance(calls, list) else b"")
            written.write(answer)
    written.write(b"]" if isinstance(calls, list) else b"")
    return _within_size(written.getvalue())


def _answers(chain: Chain, calls: Sequence[object], limits: Budget, lane: Lane) -> Generator[bytes, None, None]:
    """Yield the answer to each call as JSON: as values, logs take many times as much memory."""
    checked = [_check(call) for call in calls]
    with closing(_results(chain, [call for call in checked if isinstance(call, RpcCall)], limits, lane)) as results:
        for call in checked:
            yield _result(call.id, next(results)) if isinstance(call, RpcCall) else call


def _results(
    chain: Chain, calls: Sequence[RpcCall], limits: Budget, lane: Lane
) -> Generator[bytes | RpcError, None, None]:
    # An embedded chain answers a call when its result is wanted; another node gets all calls in one POST.
    wanted = _within_gas(calls)
    if not isinstance(chain, EmbeddedChain):
        yield from _encoded(chain, wanted)
        return
    heavy_methods = _HEAVY_METHODS if chain.has_calculators else frozenset()
    heavy = [call for call in wanted if call[0] in heavy_methods]
    with closing(chain.computed(heavy, limits, lane)) if heavy else nullcontext() as answers:
        for call in wanted:
            yield from [next(answers)] if answers and call[0] in heavy_methods else _encoded(chain, [call])


def _encoded(chain: Chain, calls: Sequence[tuple[str, list[Any]]]) -> Iterator[bytes | RpcError]:
    try:
        answers = chain.batch(calls) if calls else []
    except RegistryError as error:
        answers = [RpcError(SERVER_ERROR, error.message)] * len(calls)
    for answer in answers:
        yield answer if isinstance(answer, RpcError) else orjson.dumps(answer)


def _within_gas(calls: Sequence[RpcCall]) -> list[tuple[str, list[Any]]]:
    runs = sum(_RUNS.get(call.method, 0) for call in calls)
    return [
        (call.method, _capped(call.params, EVM_GAS // runs) if call.method in _RUNS else call.params) for call in calls
    ]


def _capped(parameters: list[Any], gas: int) -> list[Any]:
    match parameters:
        case [dict(call), *rest]:
            given = call.get("gas")
            return [{**call, "gas": hex(gas if given is None else min(gas, int(given, 16)))}, *rest]
    return parameters  # A malformed call is the chain's to refuse.


def _names_gas(parameters: list[Any]) -> bool:
    """Whether the gas of a call, where it is given, is what every node takes for the same number."""
    match parameters:
        case [{"gas": given}, *_]:
            return given is None or (isinstance(given, str) and re.fullmatch("0x[0-9a-fA-F]{1,64}", given) is not None)
    return True


def _is_encodable(parameters: list[Any]) -> bool:
    try:
        orjson.dumps(parameters)
    except TypeError:
        return False
    return True


def _check(call: object) -> RpcCall | bytes:
    if not isinstance(call, dict):
        return _error(None, INVALID_REQUEST, "a call is an object")
    call_id = call.get("id")
    if isinstance(call_id, bool) or not isinstance(call_id, int | str | None):
        return _error(None, INVALID_REQUEST, "the id of a call is a string, a whole number or null")
    if isinstance(call_id, int) and abs(call_id) > MAX_SAFE_INTEGER:
        return _error(None, INVALID_REQUEST, "the id of a call is a number that not every reader keeps exactly")
    method = call.get("method")
    parameters = call.get("params", [])
    if call.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return _error(call_id, INVALID_REQUEST, 'a call has "jsonrpc": "2.0" and a method')
    if method not in READ_METHODS:
        return _error(call_id, METHOD_NOT_FOUND, f"the method {method[:80]} is not offered here: only those that read")
    if not isinstance(parameters, list):
        return _error(call_id, INVALID_PARAMS, "the params of a call are an array")
    if not _is_encodable(parameters):
        return _error(call_id, INVALID_PARAMS, 'a number in params is too large; quantities are text such as "0x5208"')
    if method in _RUNS and not _names_gas(parameters):
        return _error(call_id, INVALID_PARAMS, 'the gas of a call is a quantity such as "0x5208"')
    return RpcCall(jsonrpc="2.0", id=call_id, method=method, params=parameters)


def _result(call_id: int | str | None, result: bytes | RpcError) -> bytes:
    if isinstance(result, RpcError):
        return _error(call_id, result.code, result.message, result.data)
    return b'{"jsonrpc":"2.0","id":' + orjson.dumps(call_id) + b',"result":' + result + b"}"


def _error(call_id: int | str | None, code: int, message: str, data: Any = None) -> bytes:
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return orjson.dumps({"jsonrpc": "2.0", "id": call_id, "error": error})


def _within_size(answer: bytes) -> bytes:
    if len(answer) > MAX_ANSWER_BYTES:
        return _error(None, LIMIT_EXCEEDED, f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    return answer
