"""Everything that this package raises on purpose.

Every error says in one sentence what was wrong and what was expected, and in `hint` what to do about it. The command
line prints both on one line; the gateway makes an RFC 9457 problem of them. Neither may hold a key, a salt or a token.
"""

from __future__ import annotations

from collections.abc import Mapping


class RegistryError(Exception):
    """The root of all errors that this package raises on purpose.

    Args:
        message: One sentence: what was wrong and what was expected.
        hint: What the reader can do about it, as a sentence, or empty.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InvalidInput(RegistryError):
    """What was given is malformed; nothing was done with it."""


class NotFound(RegistryError):
    """What was asked for is not known here. It may exist elsewhere."""


class Conflict(RegistryError):
    """What was asked for contradicts what is there already."""


class Unavailable(RegistryError):
    """A service that is needed (node, chain, database) cannot be reached or is not ready; trying again may help."""


class LimitReached(RegistryError):
    """A limit that a service sets was reached; nothing was done. Asking again before some time has passed is useless.

    Args:
        message: One sentence: which limit.
        hint: What the reader can do about it.
        retry_after: Seconds after which it may be asked again.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after: float) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class VerificationFailed(RegistryError):
    """A check was carried out, and its answer is no."""


class ContractRefused(RegistryError):
    """A contract reverted with one of its own errors.

    Args:
        name: The Solidity error's name, for example ``HeadMismatch``.
        values: Its arguments by their Solidity names; 32-byte values and addresses as 0x-prefixed hex.
        message: One sentence for people.
        hint: What to do about it.
        status: The HTTP status with which a gateway answers.
    """

    def __init__(
        self, name: str, values: Mapping[str, object], message: str, *, hint: str = "", status: int = 422
    ) -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.values = dict(values)
        self.status = status
