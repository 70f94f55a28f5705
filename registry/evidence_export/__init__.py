"""Make evidence bundles from a chain."""
