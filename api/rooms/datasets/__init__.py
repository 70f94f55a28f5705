"""Datasets over HTTP: reads, writes, documents, evidence and descriptions."""
