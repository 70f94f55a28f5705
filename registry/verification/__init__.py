"""Verify files against a bundle, a certificate, a credential or the chain: one report, whoever asks for it."""
