"""The command line, `tdr`."""

import gc

# Loading modules makes many objects and no garbage; looking for it after every 700 takes a fifth of a short command.
gc.set_threshold(100_000)

from registry.cli.app import main  # noqa: E402  After the line above, which is for what this loads.

__all__ = ["main"]
