"""Access to an EVM chain: over JSON-RPC and HTTP, or embedded in the process."""
