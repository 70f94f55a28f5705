"""Describe a dataset in the formats of catalogues, DCAT 3 and Croissant, with checksums and links to proofs."""

from registry.catalogue.croissant import croissant
from registry.catalogue.dcat import dcat
from registry.catalogue.listing import MAX_FILES, Listing

__all__ = ["MAX_FILES", "Listing", "croissant", "dcat"]
