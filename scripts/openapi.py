"""Write docs/openapi.json, the gateway's own description; with --check, report whether it is up to date.

python -m scripts.openapi
python -m scripts.openapi --check
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from api.app import bare_app, include_gateway, include_operations

FILE: Final = Path(__file__).resolve().parents[1] / "docs/openapi.json"


def document() -> str:
    """Return the content of the file."""
    app = bare_app()
    include_gateway(app)
    include_operations(app)
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    if parser.parse_args().check:
        if not FILE.exists() or FILE.read_text() != document():
            print(f"{FILE.name} is not up to date: run python -m scripts.openapi", file=sys.stderr)
            sys.exit(1)
        return
    FILE.write_text(document())


if __name__ == "__main__":
    main()
