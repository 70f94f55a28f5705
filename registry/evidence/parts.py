"""The building blocks of the format of evidence bundles."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from registry.base.canonical import MAX_SAFE_INTEGER

Count = Annotated[int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER)]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]


class Part(BaseModel):
    """A JSON object of the format: immutable, with fields in camelCase and no unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )
