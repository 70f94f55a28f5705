"""Examples of bodies: signed messages about one dataset, in the order in which a registry accepts them.

`python -m scripts.examples` writes them.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

_BODIES: Final[dict[str, dict[str, Any]]] = json.loads(files("api.rooms").joinpath("examples.json").read_bytes())

REGISTRATION: Final = _BODIES["Registration"]
REVISION: Final = _BODIES["Revision"]
ACCESS_REQUEST: Final = _BODIES["AccessRequest"]
ACCESS_GRANT: Final = _BODIES["AccessGrant"]
ACCESS_REVOCATION: Final = _BODIES["AccessRevocation"]
REQUEST_POLICY: Final = _BODIES["RequestPolicy"]
RETRACTION: Final = _BODIES["Retraction"]
PUBLICATION: Final = _BODIES["Publication"]
TITLE_TRANSFER: Final = _BODIES["TitleTransfer"]
WITHDRAWAL: Final = _BODIES["Withdrawal"]

DATASET_ID: Final[str] = REVISION["message"]["datasetId"]
"""The dataset of the examples."""
