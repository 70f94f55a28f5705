"""Make evidence: read from a chain what a bundle needs, and put it together."""
