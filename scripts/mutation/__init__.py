"""Mutation testing of the contracts: small deliberate faults, each of which a test must detect."""
