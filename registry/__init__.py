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
    from registry.verification.bundle import verify
    from registry.verification.files import Files
    from registry.verification.report import Report
    from registry.verification.trust import TrustOptions

__all__ = [
    "AsyncClient",
    "Client",
    "Conflict",
    "ContractRefused",
    "Files",
    "InvalidInput",
    "LimitReached",
    "NotFound",
    "Published",
    "RegistryError",
    "Report",
    "Signed",
    "TrustOptions",
    "Unavailable",
    "VerificationFailed",
    "verify",
]

_MODULES: Final = {
    "AsyncClient": "registry.sdk.async_client",
    "Client": "registry.sdk.client",
    "Files": "registry.verification.files",
    "Published": "registry.sdk.rooms.datasets.models",
    "Report": "registry.verification.report",
    "Signed": "registry.sdk.signing",
    "TrustOptions": "registry.verification.trust",
    "verify": "registry.verification.bundle",
}
"""The modules of the names above; the others are errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "registry.base.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
