"""Evidence that needs no gateway: proofs of what a chain held at a block, and their verification offline."""
