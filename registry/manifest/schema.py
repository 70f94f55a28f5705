"""The JSON Schema of `tdr-manifest/1`: necessary, not sufficient.

A schema cannot express that entries are in order, that names do not collide, that paths are in NFC, or that the root
belongs to the entries. `Manifest.parse` checks that.
"""

from __future__ import annotations

from typing import Any, Final

from registry.base.canonical import MAX_SAFE_INTEGER
from registry.manifest.manifest import FORMAT

_NOT_ABSOLUTE: Final = r"(?!/)(?![A-Za-z]:(?:/|$))"
_NO_EMPTY_NAME: Final = r"(?![\s\S]*//)(?![\s\S]*/$)"
_NO_DOTS: Final = r"(?!(?:[\s\S]*/)?\.{1,2}(?:/|$))"
_PATH: Final = rf"^{_NOT_ABSOLUTE}{_NO_EMPTY_NAME}{_NO_DOTS}[^\u0000\\]+$"
_ENTRY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["path", "sha256", "size"],
    "additionalProperties": False,
    "properties": {
        "path": {
            "type": "string",
            "minLength": 1,
            "pattern": _PATH,
            "description": "Relative, `/` between names, Unicode NFC; no `.`, `..`, empty name, NUL or backslash.",
        },
        "sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "maxLength": 64,
            "description": "SHA-256 of the file's content.",
        },
        "size": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": MAX_SAFE_INTEGER,
            "description": "The content's length in bytes; null where it is not known, then in every entry.",
        },
        "salt": {
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
            "maxLength": 32,
            "description": "16 random bytes in a private manifest, then in every entry; absent otherwise.",
        },
    },
}
SCHEMA: Final[dict[str, Any]] = {
    "title": "Manifest",
    "description": "The files of a dataset, ascending by the UTF-8 bytes of their paths.",
    "type": "object",
    "required": ["format", "root", "files"],
    "additionalProperties": False,
    "properties": {
        "format": {"const": FORMAT},
        "root": {
            "type": "string",
            "pattern": "^0x[0-9a-f]{64}$",
            "maxLength": 66,
            "description": "The content root: the RFC 9162 root over the entries.",
        },
        "files": {"type": "array", "minItems": 1, "items": _ENTRY},
    },
}
