"""The commands about datasets."""
