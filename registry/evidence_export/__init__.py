"""Making evidence: what a bundle needs is read from a chain and put together."""
