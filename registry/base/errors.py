"""The errors that this package raises on purpose.

Each error says in one sentence what was wrong and what was expected; `hint` says what to do about it. The command line
prints both on one line; the gateway turns them into an RFC 9457 problem. Neither may contain a key, a salt or a token.
"""

from __future__ import annotations

from collections.abc import Mapping


class RegistryError(Exception):
    """The base class of all errors that this package raises on purpose.

    Args:
        message: One sentence: what was wrong and what was expected.
        hint: One sentence: what the reader can do about it; may be empty.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InvalidInput(RegistryError):
    """The input is malformed. Nothing was done with it."""


class NotFound(RegistryError):
    """The requested item is not known here. It may exist elsewhere."""


class Conflict(RegistryError):
    """The request contradicts the existing state."""


class Unavailable(RegistryError):
    """A required service (node, chain, database) is not reachable or not ready. A retry may succeed."""


class LimitReached(RegistryError):
    """A limit set by a service was reached. Nothing was done, and a retry before `retry_after` will fail too.

    Args:
        message: One sentence: which limit.
        hint: What the reader can do about it.
        retry_after: Seconds until a retry is useful.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after: float) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class VerificationFailed(RegistryError):
    """A check was carried out and failed."""


class ContractRefused(RegistryError):
    """A contract reverted with one of its own errors.

    Args:
        name: The Solidity error's name, for example ``HeadMismatch``.
        values: Its arguments by their Solidity names; 32-byte values and addresses as 0x-prefixed hex.
        message: One sentence for people.
        hint: What to do about it.
        status: The HTTP status of the gateway's answer.
    """

    def __init__(
        self, name: str, values: Mapping[str, object], message: str, *, hint: str = "", status: int = 422
    ) -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.values = dict(values)
        self.status = status
