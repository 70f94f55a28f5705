"""Ethereum's encodings: ABI, EIP-712, RLP, tries, headers, receipts and contract errors. No network access."""
