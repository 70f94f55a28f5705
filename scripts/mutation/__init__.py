"""Mutation testing of the contracts: small faults put in on purpose, each of which a test must notice."""
