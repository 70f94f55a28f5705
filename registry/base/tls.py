"""The TLS context that all clients of this process share."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context with the trusted certificates; reading them takes tens of milliseconds, so it is done once."""
    return httpx.create_ssl_context()
