"""Ethereum's encodings: ABI, RLP, tries, headers, receipts, EIP-712. Pure functions of bytes."""
