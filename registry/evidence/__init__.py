"""Evidence that needs no gateway: proofs of what stood on a chain, and their verification without any network."""
