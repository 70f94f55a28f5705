"""A witness over HTTP: nodes ask it to cosign, and anyone may read its alarms."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import version
from types import FrameType
from typing import Annotated, Any, Final

import orjson
import structlog
import uvicorn
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from api import problems
from api.head import HeadAsGet
from api.listener import listen, url_of
from api.problems import INVALID, LARGE, NOT_FOUND, SLOW, Kind, Refused, documented, explain
from registry.base.errors import InvalidInput, Unavailable
from registry.base.times import iso_time
from registry.chain.client import RpcError
from registry.notes.note import MAX_NOTE_BYTES, Note, Signature
from registry.witness.decision import Reason, Refuse
from registry.witness.witness import Witness

BODY_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 10
THREADS: Final = 4
RETRY_SECONDS: Final = 5
UNAVAILABLE_STATUS: Final = 503

_REFUSALS: Final = {
    Reason.UNKNOWN_NODE: Kind("unknown-node", 403, "The note is of an unknown node", "This witness does not serve it."),
    Reason.OTHER_CHAIN: Kind("other-chain", 404, "The note is of another chain", "This witness does not follow it."),
    Reason.SMALLER: Kind("smaller-height", 409, "A greater height was cosigned", "Ask for the newest checkpoint."),
    Reason.NOT_FOLLOWED: Kind("not-followed", 409, "The height was not followed", "Ask for the newest checkpoint."),
    Reason.AHEAD: Kind("ahead", 503, "The witness is below this height", "Its own node has no such final block yet."),
    Reason.FORKED: Kind("forked", 503, "The witness's own node forked", "It cosigns again when its node is back."),
}
_ALARM: Final = Kind("alarm", 409, "The note contradicts an earlier statement", "`alarm` has both statements.")

log = structlog.get_logger(__name__)
router = APIRouter()
_limiter = CapacityLimiter(THREADS)


def _witness(request: Request) -> Witness:
    witness: Witness = request.app.state.witness
    return witness


WitnessDep = Annotated[Witness, Depends(_witness)]


@router.post(
    "/add-checkpoint",
    summary="Cosign a checkpoint",
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}},
    responses={
        200: {"description": "The cosignature line, to append to the note.", "content": {"text/plain": {}}},
        **documented(INVALID, LARGE, SLOW, _ALARM, *_REFUSALS.values()),
    },
)
async def add_checkpoint(request: Request, witness: WitnessDep) -> Response:
    """Accept a note that a node signed, and return a cosignature: a line to append to the note."""
    note = _note(await _body(request))
    decision = await to_thread.run_sync(witness.consider, note, limiter=_limiter)
    if isinstance(decision, Signature):
        return Response(str(decision), media_type="text/plain; charset=utf-8")
    if isinstance(decision, Refuse):
        kind = _REFUSALS[decision.reason]
        headers = {"Retry-After": str(RETRY_SECONDS)} if kind.status == UNAVAILABLE_STATUS else {}
        raise Refused(kind, decision.detail, headers=headers)
    raise Refused(_ALARM, f"{decision}.", alarm=decision.to_json())


@router.get("/alarms", summary="Its alarms", response_class=Response)
async def alarms(witness: WitnessDep) -> Response:
    """Return all alarms, oldest first, each with both statements."""
    stored = await to_thread.run_sync(witness.alarms, limiter=_limiter)
    items = [
        {
            "number": item.number,
            **item.alarm.to_json(),
            "time": iso_time(item.time),
            "acknowledgedAt": None if item.acknowledged_at is None else iso_time(item.acknowledged_at),
        }
        for item in stored
    ]
    return _json({"alarms": items})


@router.get("/health", summary="Its health", response_class=Response)
async def health(witness: WitnessDep) -> Response:
    """Return 200 if the witness follows its node and has no open alarm, else 503."""
    report = await to_thread.run_sync(witness.health, limiter=_limiter)
    state = report.state
    status = "alarm" if report.open_alarms else "degraded" if report.fault or state is None else "ready"
    answer: dict[str, Any] = {
        "status": status,
        "problem": report.fault or None,
        "openAlarms": report.open_alarms,
        "key": str(witness.key),
        "chainId": None if state is None else state.chain_id,
        "followedHeight": None if state is None else state.tip.height,
        "followedHash": None if state is None else str(state.tip.block_hash),
        "cosignedHeight": None if state is None or state.signed is None else state.signed.height,
        "version": version("trusted-data-registry"),
    }
    return _json(answer, 200 if status == "ready" else UNAVAILABLE_STATUS)


@router.get("/key", summary="Its public key", response_class=Response)
async def key(witness: WitnessDep) -> Response:
    """Return the public key of its cosignatures. Compare it with a copy from another source."""
    return Response(f"{witness.key}\n", media_type="text/plain; charset=utf-8")


@router.get("/problems/{slug}", summary="The meaning of a kind of problem", response_class=Response)
async def problem(slug: str) -> Response:
    """Return the meaning of a kind of problem."""
    own = next((kind for kind in (*_REFUSALS.values(), _ALARM) if kind.slug == slug), None)
    meaning = explain(slug) if own is None else f"{own.title} ({own.status}). {own.meaning}\n"
    if meaning is None:
        raise Refused(NOT_FOUND, "There is no such kind of problem.")
    return Response(meaning, media_type="text/plain; charset=utf-8")


def create_witness_app(witness: Witness) -> FastAPI:
    """Return the app for a witness."""
    app = FastAPI(
        title="Witness", version=version("trusted-data-registry"), docs_url=None, redoc_url=None, redirect_slashes=False
    )
    problems.install(app)
    app.include_router(router)
    app.add_middleware(HeadAsGet)
    app.state.witness = witness
    return app


def serve_witness(
    witness: Witness, host: str, port: int, *, poll_seconds: float, started: Callable[[str], None]
) -> None:
    """Run a witness until SIGTERM or Ctrl-C. Call it from the main thread.

    Args:
        witness: The witness; closed at the end.
        host: The address to listen on.
        port: The port; 0 for any free port.
        poll_seconds: The seconds between two requests to its own node.
        started: Called with its URL once it answers.

    Raises:
        Conflict: The port is taken, or its node serves another chain than the one it follows.
        InvalidInput: This machine does not have the address.
        Unavailable: The state cannot be written.
    """
    with closing(witness), closing(listen(host, port)) as listener:
        try:
            witness.advance()
        except (Unavailable, RpcError) as error:
            log.warning("cannot follow own node yet", reason=str(error))
        stop = threading.Event()
        server = _Server(_configuration(witness), stop, lambda: started(url_of(listener)))
        with ThreadPoolExecutor(1, "follower") as executor:
            follower = executor.submit(witness.run, stop, poll_seconds)
            follower.add_done_callback(server.end)  # A witness that has stopped following must not keep running.
            try:
                server.run(sockets=[listener])
            finally:
                stop.set()
        follower.result()


class _Server(uvicorn.Server):
    """uvicorn, stopped by a signal without raising the signal again, because the witness must still be closed."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._stop = stop
        self._started = started

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._stop.set()

    def end(self, follower: Future[None]) -> None:
        self.should_exit = True


def _configuration(witness: Witness) -> uvicorn.Config:
    return uvicorn.Config(
        create_witness_app(witness),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_NOTE_BYTES:
                    raise Refused(LARGE, f"A note has at most {MAX_NOTE_BYTES} bytes.", headers={"Connection": "close"})
    except TimeoutError:
        raise Refused(SLOW, f"The note was not complete after {BODY_SECONDS:.0f} s.") from None
    return bytes(body)


def _note(body: bytes) -> Note:
    try:
        return Note.parse(body.decode())
    except UnicodeDecodeError as error:
        raise InvalidInput("The note is not text in UTF-8.") from error


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
