"""Verify files against a bundle, a certificate, a credential or the chain. All return the same report."""
