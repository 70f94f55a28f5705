"""How paths name a dataset: by its whole id, or by the beginning of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from api.rooms import examples
from registry.base.primitives import DatasetId

FullId = Annotated[
    DatasetId, Path(description="The whole id, as in the signed message.", examples=[examples.DATASET_ID])
]
IdPrefix = Annotated[
    str,
    Path(
        pattern="^(0x)?[0-9a-fA-F]{8,64}$",
        description="The dataset's id: whole, or so much of its beginning that only one begins so.",
        examples=["0x" + "5e" * 32],
    ),
]
