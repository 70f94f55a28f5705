"""The commands about access to datasets."""
