"""Statements: structs that owners sign for the gateway alone, for example what is public."""
