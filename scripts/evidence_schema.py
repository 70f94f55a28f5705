"""Writes docs/schemas/tdr-evidence-1.json, the JSON Schema of evidence bundles, from the model that reads them.

python -m scripts.evidence_schema            writes it
python -m scripts.evidence_schema --check    exits 1 if it is not up to date; writes nothing
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from registry.evidence.bundle import FORMAT, Bundle

SCHEMA = Path(__file__).resolve().parents[1] / "docs/schemas/tdr-evidence-1.json"


def rendered() -> str:
    """The schema as it stands in the file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"{FORMAT}. Necessary, not sufficient: docs/evidence.md says what else must hold.",
        **Bundle.model_json_schema(by_alias=True, mode="serialization"),
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes or checks the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    if not parser.parse_args().check:
        SCHEMA.write_text(rendered())
    elif SCHEMA.read_text() != rendered():
        sys.exit("docs/schemas/tdr-evidence-1.json is not up to date: run `python -m scripts.evidence_schema`.")


if __name__ == "__main__":
    main()
