"""Structured log lines on standard error, for people or machines, with the id of the request they belong to."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor


def _without_colours(logger: object, method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn repeats its message with colour codes.
    return event


_TOO_TALKATIVE = (
    "httpx",
    "httpcore",
    "asyncio",
    "alembic",
    "sqlalchemy",
    "web3",
    "urllib3",
    "uvicorn.access",
    "fontTools",
    "fpdf",
)
"""Libraries that log warnings and errors only. Some would log URLs that contain access keys."""


def configure(level: Literal["debug", "info", "warning", "error"], form: Literal["console", "json"]) -> None:
    """Set up logging for this process and every library in it.

    Args:
        level: The lowest level that is written.
        form: ``console`` for people, ``json`` for machines (one object per line).
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    machine: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    people: list[Processor] = [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_colours,
                *(machine if form == "json" else people),
            ],
        )
    )
    least = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=False,
    )
