"""Load a module when one of its names is first used."""

from __future__ import annotations

import importlib
import sys
from typing import Any


class LazyModule:
    """A stand-in for a module, which is imported when one of its names is first used. Safe for any number of threads.

    importlib's own lazy modules are not safe before Python 3.11.8: a second thread may see one while it is half loaded.

    Args:
        name: The module's full name.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


def lazy(name: str) -> Any:
    """Return a stand-in for a module that is imported when one of its names is first used.

    Args:
        name: The module's full name.

    Returns:
        A `LazyModule`; the module itself where it is loaded already.
    """
    return importlib.import_module(name) if name in sys.modules else LazyModule(name)
