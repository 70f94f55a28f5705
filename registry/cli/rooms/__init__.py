"""The commands of the rooms."""
