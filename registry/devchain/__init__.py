"""An embedded chain: py-evm's Prague rules, stored on disk, with a JSON-RPC interface."""
