"""The room of access: requests for datasets, grants of rights for a term, and revocations."""
