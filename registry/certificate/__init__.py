"""Certificates: the content of an evidence bundle as a page for people (PDF) and a verifiable credential (JSON-LD)."""
