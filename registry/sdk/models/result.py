"""What all results have in common.

Fields of an answer that this version does not know are ignored. A field that is missing or has another type makes the
answer invalid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, TypeAlias, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictBool,
    StrictInt,
    model_validator,
)
from pydantic.alias_generators import to_camel

from registry.base.primitives import Bytes32

Json: TypeAlias = Mapping[str, Any]
Bool = StrictBool
Int = StrictInt
Height = Annotated[StrictInt, Field(ge=0)]
"""A block's height."""
Number = Annotated[StrictInt, Field(ge=1)]
"""The number of a version, from 1."""
Time = AwareDatetime


class Result(BaseModel):
    """A JSON object of the gateway."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, defer_build=True
    )

    _raw: Json = PrivateAttr(default_factory=dict)

    @property
    def raw(self) -> Json:
        """The JSON object as the gateway sent it, with the fields that this version does not know."""
        return self._raw

    @model_validator(mode="wrap")
    @classmethod
    def _keep_raw(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        result = handler(value)
        if isinstance(value, dict):
            result._raw = value  # noqa: SLF001  It is of this class.
        return result


class Place(Result):
    """Where and when something happened on the chain.

    Attributes:
        block_number: The block's height.
        block_hash: The block's hash.
        time: The block's time.
        transaction_hash: The transaction.
        log_index: The position of the log in the block, from 0.
    """

    block_number: Height
    block_hash: Bytes32
    time: Time
    transaction_hash: Bytes32
    log_index: Int


class AsOf(Result):
    """An answer from the gateway's index, labelled with the block that it is a snapshot of.

    Attributes:
        as_of_block: The block's height.
        as_of_block_hash: The block's hash.
        final_block: The highest final block.
    """

    as_of_block: Height
    as_of_block_hash: Bytes32
    final_block: Height


class Page(AsOf):
    """One page of a list, or all pages joined.

    Attributes:
        next: The cursor of the next page; None on the last page.
    """

    ROWS: ClassVar[str] = "items"
    """The JSON name of the rows."""

    next: str | None

    def joined(self, later: Sequence[Self]) -> Self:
        """Return one page with the rows of this page and of later ones, as of this page's block."""
        if not later:
            return self
        rows = [row for page in (self, *later) for row in page.raw[self.ROWS]]
        return type(self).model_validate({**self.raw, self.ROWS: rows, "next": None})


AnyPage = TypeVar("AnyPage", bound=Page)
