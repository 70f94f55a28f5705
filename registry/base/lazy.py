"""Load a module when one of its names is first used."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any


def lazy(name: str) -> Any:
    """Return a module that is loaded when one of its names is first used; the module itself where it is loaded already.

    Only for programs whose first use of the module is in one thread: before Python 3.11.8, a second thread may see the
    module while it is half loaded. The gateway therefore imports what it uses at its start.

    Raises:
        ModuleNotFoundError: There is no such module.

    Source: the recipe for lazy imports in the documentation of importlib.
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"There is no module {name!r}.", name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
