"""Certificates: what an evidence bundle proves, on a page for people (PDF) and as a verifiable credential (JSON-LD)."""
