"""The epochs of grants and revocations that a key has signed, against a gateway that names an earlier one."""

from __future__ import annotations

from registry.base.errors import Conflict
from registry.cli.output import print_warning
from registry.cli.session import SigningSession
from registry.cli.times import show_time
from registry.keys.journal import Journal, JournalEntry
from registry.rooms.access.messages import AccessGrant, AccessRevocation
from registry.sdk.signing import domain_of


def check_epoch(session: SigningSession, message: AccessGrant | AccessRevocation) -> JournalEntry:
    """Compare the epoch that a message names with what its key has signed before.

    Args:
        session: The session that signs the message.
        message: The message.

    Returns:
        The journal's entry for the message.

    Raises:
        Conflict: A signature for a later epoch is still valid, and the message grants access.
    """
    domain = domain_of(message, session.deployment).separator()
    entry = JournalEntry(domain, message.dataset_id, message.grantee, message.epoch, message.deadline)
    later = _journal(session).later_than(entry, session.now())
    if later is None:
        return entry
    warning = (
        f"This key signed about this dataset and grantee for epoch {later.epoch}, valid until "
        f"{show_time(later.deadline)}; but the gateway reports epoch {message.epoch}. "
        "Anyone with that signature could use it later and restore access that you revoke."
    )
    if isinstance(message, AccessGrant):
        raise Conflict(warning, hint="Grant again after that time, and ask another gateway why.")
    # A revocation is never refused, but it may be undone by that signature.
    print_warning(f"{warning} Revoke again after that time.")
    return entry


def record(session: SigningSession, entry: JournalEntry) -> None:
    """Record a signature. Call it before the signature leaves the process.

    Raises:
        InvalidInput: The journal cannot be written.
    """
    _journal(session).add(entry)


def _journal(session: SigningSession) -> Journal:
    return Journal(session.keys, session.signer.address)
