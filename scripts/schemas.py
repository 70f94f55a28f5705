"""Write docs/schemas/, the JSON Schemas of the project's file formats, from the code that reads them.

python -m scripts.schemas            writes them
python -m scripts.schemas --check    exits 1 if one is not up to date; writes nothing
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from registry.evidence.bundle import FORMAT as EVIDENCE
from registry.evidence.bundle import form_of
from registry.manifest.manifest import FORMAT as MANIFEST
from registry.manifest.schema import SCHEMA
from registry.rooms.protocols import PROTOCOLS

FOLDER = Path(__file__).resolve().parents[1] / "docs/schemas"


def rendered() -> dict[Path, str]:
    """Return the content of each schema's file."""
    return {
        FOLDER / "tdr-evidence-1.json": _rendered(
            EVIDENCE, "docs/evidence.md", form_of(PROTOCOLS).model_json_schema(by_alias=True, mode="serialization")
        ),
        FOLDER / "tdr-manifest-1.json": _rendered(MANIFEST, "docs/manifest.md", SCHEMA),
    }


def _rendered(name: str, reference: str, schema: dict[str, Any]) -> str:
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"{name}. Necessary, not sufficient: {reference} has further conditions.",
        **schema,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write or check the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not up to date")
    check = parser.parse_args().check
    for path, text in rendered().items():
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"docs/schemas/{path.name} is not up to date: run `python -m scripts.schemas`.")


if __name__ == "__main__":
    main()
