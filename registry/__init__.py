"""Trusted Data Registry: provable records of what a dataset was, who owned it and who was allowed to use it.

The names below are those that applications need. Each is loaded when it is first used, so that importing this package
loads nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from registry.base.errors import (
        Conflict,
        ContractRefused,
        InvalidInput,
        LimitReached,
        NotFound,
        RegistryError,
        Unavailable,
        VerificationFailed,
    )
    from registry.sdk.async_client import AsyncClient
    from registry.sdk.client import Client
    from registry.sdk.rooms.datasets.models import Published
    from registry.sdk.signing import Signed

__all__ = [
    "AsyncClient",
    "Client",
    "Conflict",
    "ContractRefused",
    "InvalidInput",
    "LimitReached",
    "NotFound",
    "Published",
    "RegistryError",
    "Signed",
    "Unavailable",
    "VerificationFailed",
]

_SDK: Final = {
    "AsyncClient": "registry.sdk.async_client",
    "Client": "registry.sdk.client",
    "Published": "registry.sdk.rooms.datasets.models",
    "Signed": "registry.sdk.signing",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_SDK.get(name, "registry.base.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
