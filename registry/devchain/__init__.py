"""A chain of its own inside the process: py-evm's Prague rules, on disk, spoken to in JSON-RPC."""
