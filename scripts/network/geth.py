"""Build the last geth that runs Clique, once, into the user's cache: python -m scripts.network.geth.

Later versions of geth follow a consensus client and do not make blocks themselves. The checksums of the module proxy
guarantee that the source of the pinned version has not changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

VERSION: Final = "1.13.15"
MODULE: Final = "github.com/ethereum/go-ethereum/cmd/geth"
LINKNAME_CHECKED_SINCE: Final = (1, 23)
"""From this version of Go on, the linker rejects a dependency of this geth unless the check is disabled."""
OLDEST_GO: Final = (1, 21)


def path() -> Path:
    """Return the path of the program, whether or not it has been built."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "trusted-data-registry" / f"geth-{VERSION}" / "geth"


def build() -> None:
    """Build it. Concurrent builds are safe: each is moved into place when it is complete.

    Raises:
        subprocess.CalledProcessError: Go failed; its output is on stderr.
    """
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-ldflags=-checklinkname=0"] if (_go_version() or OLDEST_GO) >= LINKNAME_CHECKED_SINCE else []
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        environment = os.environ | {"GOBIN": folder, "GOFLAGS": "-mod=mod", "GO111MODULE": "on"}
        subprocess.run(["go", "install", *flags, f"{MODULE}@v{VERSION}"], env=environment, check=True)
        (Path(folder) / "geth").replace(target)


def main() -> int:
    """Build it unless it exists. If Go is missing, print what to do, and fail only in CI."""
    if path().exists():
        return 0
    version = _go_version()
    if version is None or version < OLDEST_GO:
        found = "is not installed" if version is None else f"is {version[0]}.{version[1]}"
        print(
            f"The tests on a real network build geth {VERSION} with Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or later, and Go "
            f"{found}: install it from https://go.dev/dl, then say: make geth. Without it tests/network is skipped, "
            "and in CI fails.",
            file=sys.stderr,
        )
        return 1 if os.environ.get("CI") else 0
    print(f"Building geth {VERSION} into {path().parent}: some minutes, once", flush=True)
    try:
        build()
    except subprocess.CalledProcessError:
        print(f"geth {VERSION} could not be built; see the output of go above.", file=sys.stderr)
        return 1
    return 0


def _go_version() -> tuple[int, int] | None:
    go = shutil.which("go")
    if go is None:
        return None
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    return None if found is None else (int(found[1]), int(found[2]))


if __name__ == "__main__":
    sys.exit(main())
