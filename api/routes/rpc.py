"""Read-only JSON-RPC, so that wallets and auditors can query the chain directly."""

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
"""How long one request may occupy the embedded chain."""
QUICK_SECONDS: Final = 0.1
"""How long a request runs in the quick lane before it is started again in the slow one."""
BLOCKS: Final = 1_000_000
"""The number of blocks that all log queries of one request may cover together."""
AT_ONCE: Final = 4
INVALID_REQUEST: Final = -32600

EVM_GAS: Final = 2**24
"""The gas for all calls of one request together, shared equally: py-evm needs a second for 3,000,000."""
_RUNS: Final = {"eth_call": 1, "eth_estimateGas": 8}
"""How often a method may run its call: an estimate tries several gas limits."""

router = APIRouter(tags=["chain"], route_class=StrictRoute)
_limiter = CapacityLimiter(AT_ONCE)  # Anonymous requests must not use up the threads for writes.
_lanes: Final = {lane: CapacityLimiter(1) for lane in Lane}
"""Requests that make an embedded chain compute run in another process, one at a time in each lane."""
WAITING: Final = {Lane.QUICK: 32, Lane.SLOW: 16}
"""The number of requests that may wait in each lane."""
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
"""Documented as calls, but not validated: a malformed call is answered with a JSON-RPC error."""


@router.post(
    "/rpc",
    summary="Query the chain",
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
    """Answer calls: light ones at once, others in the quick lane, or in the slow lane if they take too long.

    Raises:
        Refused: Too many requests wait there.
    """
    if not isinstance(chain, EmbeddedChain) or not _compute(calls):
        answer, _ = await to_thread.run_sync(_answer, chain, calls, gone, Lane.SLOW, limiter=_limiter)
        return answer
    for lane in Lane:
        if _lanes[lane].statistics().tasks_waiting >= WAITING[lane]:
            detail = f"{WAITING[lane]} requests are waiting for the chain already."
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
    """Return the answer, and whether it is complete within the time."""
    # The time starts here, in the thread: waiting for a thread is not part of the request's work.
    seconds = QUICK_SECONDS if lane is Lane.QUICK else SECONDS
    limits = Budget(seconds, BLOCKS, MAX_ANSWER_BYTES, is_abandoned=gone.is_set)
    with limited(limits):
        return _answered(chain, calls, limits, lane), not limits.is_out_of_time or gone.is_set()


def _answered(chain: Chain, calls: object, limits: Budget, lane: Lane) -> bytes:
    asked = calls if isinstance(calls, list) else [calls]
    if not 0 < len(asked) <= MAX_CALLS:
        return _error(None, INVALID_REQUEST, f"an array has 1 to {MAX_CALLS} calls")
    written = BytesIO()  # Joining the answers as they arrive avoids a second copy of a large one.
    with closing(_answers(chain, asked, limits, lane)) as answers:
        for number, answer in enumerate(answers):
            written.write(b"," if number else b"[" if isinstance(calls, list) else b"")
            written.write(answer)
    written.write(b"]" if isinstance(calls, list) else b"")
    return _within_size(written.getvalue())


def _answers(chain: Chain, calls: Sequence[object], limits: Budget, lane: Lane) -> Generator[bytes, None, None]:
    """Yield the answer to each call as JSON text, because logs as values take many times as much memory."""
    checked = [_check(call) for call in calls]
    with closing(_results(chain, [call for call in checked if isinstance(call, RpcCall)], limits, lane)) as results:
        for call in checked:
            yield _result(call.id, next(results)) if isinstance(call, RpcCall) else call


def _results(
    chain: Chain, calls: Sequence[RpcCall], limits: Budget, lane: Lane
) -> Generator[bytes | RpcError, None, None]:
    # An embedded chain answers each call when its result is read; another node gets all calls in one POST.
    capped = _within_gas(calls)
    if not isinstance(chain, EmbeddedChain):
        yield from _encoded(chain, capped)
        return
    heavy_methods = _HEAVY_METHODS if chain.has_calculators else frozenset()
    heavy = [call for call in capped if call[0] in heavy_methods]
    with closing(chain.computed(heavy, limits, lane)) if heavy else nullcontext() as answers:
        for call in capped:
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
            limit = call.get("gas")
            return [{**call, "gas": hex(gas if limit is None else min(gas, int(limit, 16)))}, *rest]
    return parameters  # The chain itself refuses a malformed call.


def _names_gas(parameters: list[Any]) -> bool:
    """Return whether the gas of a call, if given, has a form that all nodes read as the same number."""
    match parameters:
        case [{"gas": limit}, *_]:
            return limit is None or (isinstance(limit, str) and re.fullmatch("0x[0-9a-fA-F]{1,64}", limit) is not None)
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
        return _error(None, INVALID_REQUEST, "the id of a call is a number too large for some JSON readers")
    method = call.get("method")
    parameters = call.get("params", [])
    if call.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return _error(call_id, INVALID_REQUEST, 'a call has "jsonrpc": "2.0" and a method')
    if method not in READ_METHODS:
        return _error(call_id, METHOD_NOT_FOUND, f"the method {method[:80]} is not offered: only methods that read are")
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
