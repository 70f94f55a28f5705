"""The JSON-LD context of our own terms, served at an address that names its content.

Credentials name it by that address, as outside libraries want it: they compare contexts as texts. Its SHA-256 stands in
the address, so whoever has the context need not fetch it, and no host can put another meaning in its place unnoticed.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Final

CONTEXT: Final = Path(__file__).with_name("context.jsonld").read_bytes()
"""The document as it is served, byte for byte."""
DIGEST: Final = sha256(CONTEXT).hexdigest()
PATH: Final = f"contexts/{DIGEST}.jsonld"
"""Where it is served, below a gateway's address."""

_URL: Final = re.compile(rf"https?://[!-~]+/{re.escape(PATH)}")


def context_url(base: str) -> str:
    """Return the context's address at a gateway.

    Args:
        base: The gateway's address, ending in a slash.
    """
    return base + PATH


def names_context(url: object) -> bool:
    """Return whether an address, of whatever host, is one of this context."""
    return isinstance(url, str) and _URL.fullmatch(url) is not None
