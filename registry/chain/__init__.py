"""Access to an EVM chain: JSON-RPC over HTTP, or a chain of one's own inside the process."""
