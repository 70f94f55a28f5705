"""Check URLs that people give, without repeating in errors what may be secret in them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from registry.base.errors import InvalidInput

MAX_SHOWN: Final = 80


def parse_http_url(url: str, whose: str) -> SplitResult:
    """Return the parts of a URL that begins with http:// or https:// and names a host.

    Args:
        url: The URL as it was given.
        whose: What the URL belongs to, for the error, such as "A gateway's".

    Raises:
        InvalidInput: The text is not such a URL, or no request could be sent to it.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host.encode("idna")  # The socket will do the same; a label may be empty or too long.
        if parts.scheme in ("http", "https") and host and parts.port != 0 and httpx.URL(url).host:
            return parts
    except (ValueError, httpx.InvalidURL):
        pass  # Their messages may repeat a password.
    raise InvalidInput(
        f"{whose} URL must be http:// or https:// and a host, optionally with a port from 1 to 65535; "
        f"got {_shown(url)!r}."
    )


def leads_to_this_machine(url: str) -> bool:
    """Return whether a URL points to the machine of its reader: localhost, 127.0.0.1, 0.0.0.0 and the like.

    Args:
        url: A URL that begins with http:// or https://.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_unspecified


def _shown(url: str) -> str:
    """Return the part of a malformed URL that may be repeated: scheme and host. The rest may contain secrets."""
    scheme, separator, rest = url.rpartition("://") if url.count("://") == 1 else ("", "", url)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        scheme, separator = "", ""
    user, at, host = rest.rpartition("@")
    host = re.split(r"[/?#]", host, maxsplit=1)[0]
    return f"{scheme}{separator}{'***@' if at and user else ''}{host}"[:MAX_SHOWN]
