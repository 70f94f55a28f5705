"""Documents: metadata and manifests. The chain has their hashes only, so their text is stored here."""
