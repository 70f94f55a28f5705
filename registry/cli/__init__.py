"""The command line, `tdr`."""

from registry.cli.app import main

__all__ = ["main"]
