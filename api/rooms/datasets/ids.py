"""Datasets in paths: by id, or by a prefix of the id."""

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
        description="The dataset's id, or a prefix of it that is unique.",
        examples=["0x" + "5e" * 32],
    ),
]
