"""Certificates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of a dataset.

    Args:
        page: The PDF file, with the evidence bundle attached.
        has_link: Whether the page has a QR code with the gateway's address; it has none without a public address.
    """

    page: bytes
    has_link: bool
