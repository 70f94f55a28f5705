"""Find missing system programs that the tests need, and install them on Debian when run as root.

python -m scripts.system_packages
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PROGRAMS: dict[str, Callable[[], object]] = {
    "postgresql": lambda: shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    "chromium": lambda: any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    "graphviz": lambda: shutil.which("dot"),
    "poppler-utils": lambda: shutil.which("pdftoppm"),
    "strace": lambda: shutil.which("strace"),
}
"""Checks whether programs are installed, by the name of their Debian package."""


def missing() -> list[str]:
    """Return the packages whose programs are missing."""
    return [package for package, is_there in PROGRAMS.items() if not is_there()]


def main() -> int:
    packages = missing()
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        print(f"Installing {', '.join(packages)}", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        packages = missing()
    if packages:
        print(
            f"The tests need these system packages: {', '.join(packages)}. Install them, for example:", file=sys.stderr
        )
        print(f"    sudo apt-get install {' '.join(packages)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
