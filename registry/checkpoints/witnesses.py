"""Asking a witness to cosign, over HTTP. Nothing it answers is believed but a signature that its key verifies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from registry.base.canonical import read_json
from registry.base.errors import InvalidInput, Unavailable, VerificationFailed
from registry.config import without_secrets, witness_without_secrets
from registry.notes.alarm import Alarm
from registry.notes.note import KeyKind, Note, Signature, VerifierKey

MAX_ANSWER_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """A witness that is asked for its cosignature.

    Args:
        key: Its public key.
        url: Where it answers, without a slash at the end. Warning: it may hold a password.
    """

    key: VerifierKey
    url: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``KEY URL``: the key as the witness prints it, a space, and where it answers.

        Raises:
            InvalidInput: It is not that.
        """
        key, _, url = text.strip().partition(" ")
        url = url.strip()
        if "://" in key or not _is_base_url(url):
            raise InvalidInput(
                "A witness is given as its key, a space and its URL, which has no query, but this is "
                f"{witness_without_secrets(text)!r:.200}.",
                hint="`tdr witness key` prints the key.",
            )
        parsed = VerifierKey.parse(key)
        if parsed.kind is not KeyKind.COSIGNATURE:
            raise InvalidInput(f"The key {key} is none of a witness.", hint="`tdr witness key` prints a witness's key.")
        return cls(parsed, url.rstrip("/"))


class Declined(Unavailable):
    """A witness does not cosign a note, now or ever."""


def ask_witness(client: httpx.Client, witness: WitnessAddress, note: Note) -> Signature | Alarm:
    """Asks a witness to cosign a note.

    Args:
        client: The HTTP client; its timeout holds for each wait.
        witness: The witness.
        note: The note, signed by this node.

    Raises:
        Declined: It answered and did not cosign, or not so that its key verifies it.
        Unavailable: It gave no usable answer.

    Returns:
        Its cosignature, verified; or the alarm that it raised about the note.
    """
    name = witness.key.name
    try:
        with client.stream(
            "POST",
            f"{witness.url}/add-checkpoint",
            content=str(note).encode(),
            headers={"content-type": "text/plain; charset=utf-8"},
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise Unavailable(f"The witness {name} answers with more than {MAX_ANSWER_BYTES} bytes.")
    except httpx.HTTPError as error:
        where = without_secrets(witness.url)
        raise Unavailable(f"The witness {name} does not answer at {where} ({type(error).__name__}).") from error
    if response.status_code == httpx.codes.OK:
        return _cosignature(witness.key, note, bytes(body))
    try:
        problem = read_json(bytes(body))
        if isinstance(problem, dict) and "alarm" in problem:
            return _about(note, Alarm.from_json(problem["alarm"]), name)
        detail = str(problem["detail"])[:500] if isinstance(problem, dict) and "detail" in problem else ""
    except InvalidInput as error:
        raise Unavailable(f"The witness {name} gives an answer that cannot be read: {error.message}") from error
    raise Declined(f"The witness {name} does not cosign (HTTP {response.status_code}): {detail}")


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment


def _about(note: Note, alarm: Alarm, name: str) -> Alarm:
    if alarm.theirs.text != note.text:
        raise Unavailable(f"The witness {name} answers with an alarm about another note than the one it was given.")
    return alarm


def _cosignature(key: VerifierKey, note: Note, body: bytes) -> Signature:
    try:
        answer = Note.parse(f"{note.text}\n{body.decode()}")
        answer.verify(key)
    except (UnicodeDecodeError, InvalidInput, VerificationFailed) as error:
        raise Declined(f"What the witness {key.name} answers is no cosignature of its own: {error}") from error
    return next(line for line in answer.signatures if line.is_by(key))
