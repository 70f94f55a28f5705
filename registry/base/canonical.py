"""Read JSON strictly and write it in the canonical form of RFC 8785 (JCS).

Most JSON readers keep one of two equal keys, and they differ in which one, so two people could read two meanings in one
signed text. This module rejects whatever is ambiguous.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NoReturn

import rfc8785

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32

MAX_DEPTH = 64
MAX_SAFE_INTEGER = 2**53 - 1

_FEW = 1000
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NO_MARKS = bytes(set(range(256)) - set(b'"[]{}'))


def read_json(source: bytes | str) -> object:
    """Read one JSON text.

    Args:
        source: The text, or its bytes in UTF-8 without a byte order mark.

    Raises:
        InvalidInput: The text is not JSON, repeats a key, is nested deeper than MAX_DEPTH, or has a number beyond the
            range of an IEEE 754 double.
    """
    try:
        text = source.decode("utf-8") if isinstance(source, bytes) else source
        _refuse_deep(source)
        value: object = json.loads(
            text, object_pairs_hook=_unique_keys, parse_float=_finite_float, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # includes JSONDecodeError and UnicodeDecodeError
        raise InvalidInput(f"This is not valid JSON in UTF-8: {error}.") from error
    _check_depth(value)
    return value


def canonical_json(value: object) -> bytes:
    """Return the canonical bytes of a JSON value.

    Args:
        value: None, bool, str, an integer within +-(2**53 - 1), a finite float, or a list or mapping of these.

    Raises:
        InvalidInput: The value holds anything else (NaN, a lone surrogate, a key that is not a string), or is nested
            deeper than MAX_DEPTH.

    Source: RFC 8785.
    """
    _check_depth(value)
    try:
        canonical: bytes = rfc8785.dumps(_plain(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidInput(f"This value has no canonical JSON form: {error}.") from error
    return canonical


def metadata_hash(metadata: object) -> Bytes32:
    """Return the SHA-256 of the canonical JSON of a dataset's metadata: the ``metadataHash`` of the contracts.

    Raises:
        InvalidInput: The metadata has no canonical form; see `canonical_json`.
    """
    return Bytes32(sha256(canonical_json(metadata)).digest())


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidInput(f"The key {key!r} appears twice in one JSON object.")
            seen.add(key)
    return result


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise InvalidInput(f"The number {text[:40]} is too large for JSON's double precision.")
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidInput(f"{text} is not a JSON number.")


def _refuse_deep(source: bytes | str) -> None:
    """Reject a text that is nested too deep, before it is parsed.

    Python's parser recurses up to the interpreter's limit. A library may raise that limit for the whole process (py_ecc
    does), and then a text of a few kilobytes overflows the stack and kills the process.
    """
    text = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    if text.count(b"[") + text.count(b"{") <= _FEW:
        return
    if b"\\" in text:
        text = text.replace(rb"\\", b"").replace(rb"\"", b"")
    # Split only the marks: splitting a whole manifest would create an object for each piece.
    outside_strings = text.translate(None, _NO_MARKS).split(b'"')[::2]
    brackets = b"".join(outside_strings).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise InvalidInput(f"This JSON value is nested deeper than {MAX_DEPTH} levels, or its brackets do not match.")


def _too_deep() -> InvalidInput:
    return InvalidInput(f"This JSON value is nested deeper than {MAX_DEPTH} levels.")


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    if any(isinstance(value, (Mapping, list, tuple)) for value in level):
        raise _too_deep()


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()


def _plain(value: object) -> Any:
    """Return the value with every mapping as a dict, the only mapping that the encoder accepts.

    A large whole double is rejected, although RFC 8785 has a form for it: it would be written as an integer, and
    readers that keep integers exact would read a different number.
    """
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, float) and MAX_SAFE_INTEGER < abs(value) < 1e21:
        raise InvalidInput(f"The number {value} is too large to be written exactly; write it as a string.")
    return [_plain(child) for child in value] if isinstance(value, (list, tuple)) else value
