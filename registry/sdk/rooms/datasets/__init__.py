"""Datasets in the client: reads, public documents, certificates and evidence."""
