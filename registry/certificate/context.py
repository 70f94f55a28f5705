"""The JSON-LD context of this project's terms, served at an address that contains its hash.

Credentials name it by that address, because other libraries compare contexts as texts. The address contains its
SHA-256, so a reader who has the context need not fetch it, and a host cannot replace it unnoticed.
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
"""Its path below a gateway's address."""

_URL: Final = re.compile(rf"https?://[!-~]+/{re.escape(PATH)}")


def context_url(base: str) -> str:
    """Return the context's address at a gateway.

    Args:
        base: The gateway's address, ending in a slash.
    """
    return base + PATH


def names_context(url: object) -> bool:
    """Return whether an address, on any host, is one of this context."""
    return isinstance(url, str) and _URL.fullmatch(url) is not None
