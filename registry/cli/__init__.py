"""The command line, `tdr`."""

import gc

# Loading modules creates many objects and no garbage. Collecting after every 700 of them takes a fifth of the time of a
# short command.
gc.set_threshold(100_000)

from registry.cli.app import main  # noqa: E402  After the line above, which is for what this loads.

__all__ = ["main"]
