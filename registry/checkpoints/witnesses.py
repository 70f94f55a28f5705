"""Ask a witness to cosign, over HTTP. Only a signature that its key verifies is accepted."""

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
        url: Its address, without a slash at the end. Warning: it may contain a password.
    """

    key: VerifierKey
    url: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``KEY URL``: the witness's key as it prints it, a space, and its address.

        Raises:
            InvalidInput: The text has another form.
        """
        key, _, url = text.strip().partition(" ")
        url = url.strip()
        if "://" in key or not _is_base_url(url):
            raise InvalidInput(
                "A witness is its key, a space and its URL without a query; got "
                f"{witness_without_secrets(text)!r:.200}.",
                hint="`tdr witness key` prints the key.",
            )
        parsed = VerifierKey.parse(key)
        if parsed.kind is not KeyKind.COSIGNATURE:
            raise InvalidInput(f"Not a witness's key: {key}.", hint="`tdr witness key` prints a witness's key.")
        return cls(parsed, url.rstrip("/"))


class Declined(Unavailable):
    """A witness answered and did not cosign a note."""


def ask_witness(client: httpx.Client, witness: WitnessAddress, note: Note) -> Signature | Alarm:
    """Ask a witness to cosign a note.

    Args:
        client: The HTTP client. Its timeout applies to each wait.
        witness: The witness.
        note: The note, signed by this node.

    Returns:
        Its verified cosignature, or the alarm that it raised about the note.

    Raises:
        Declined: It answered and did not cosign, or its key does not verify the cosignature.
        Unavailable: It gave no usable answer.
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
                    raise Unavailable(f"The answer of the witness {name} has more than {MAX_ANSWER_BYTES} bytes.")
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
        raise Unavailable(f"The answer of the witness {name} cannot be read: {error.message}") from error
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
        raise Unavailable(f"The witness {name} answered with an alarm about another note.")
    return alarm


def _cosignature(key: VerifierKey, note: Note, body: bytes) -> Signature:
    try:
        answer = Note.parse(f"{note.text}\n{body.decode()}")
        answer.verify(key)
    except (UnicodeDecodeError, InvalidInput, VerificationFailed) as error:
        raise Declined(f"The answer of the witness {key.name} is not a cosignature by its key: {error}") from error
    return next(line for line in answer.signatures if line.is_by(key))
