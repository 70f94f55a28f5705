"""Documents: metadata and manifests whose hashes are on chain. The chain cannot give them back, so they are kept."""
