"""Make the certificate's subset typefaces from the whole ones. `--check` reports whether the files are up to date."""

from __future__ import annotations

import argparse
import sys
from io import BytesIO
from pathlib import Path

from fontTools import subset

from registry.certificate.typefaces import WHOLE, common_characters, common_path

UNUSED_TABLES = ("vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS", "GDEF", "DSIG")
"""Tables that only vertical or complex typesetting needs."""


def small(path: Path) -> bytes:
    """Return the typeface with the common characters only, without hints."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.desubroutinize = True
    options.drop_tables += UNUSED_TABLES
    options.recalc_timestamp = False
    options.notdef_outline = True
    options.name_IDs = ["*"]  # The copyright and the licence stay in the file.
    font = subset.load_font(str(path), options, lazy=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(common_characters())))
    subsetter.subset(font)
    file = BytesIO()
    subset.save_font(font, file, options)
    return file.getvalue()


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if a file differs")
    is_check = parser.parse_args().check
    stale = []
    for family, whole in WHOLE.items():
        file = common_path(family)
        made = small(whole())
        if not file.exists() or file.read_bytes() != made:
            stale.append(file.name)
            if not is_check:
                file.write_bytes(made)
    if is_check and stale:
        print(f"not up to date: {', '.join(stale)}; run: python -m scripts.subset_fonts")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
