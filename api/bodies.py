"""The bodies of writes: a signed message and its signature.

Each room has a class for each body, because generated clients take their class names from here: a generic class would
be called `Submission_Withdrawal_`.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from registry.ethereum.eip712 import Signable

AnySigned = TypeVar("AnySigned", bound=Signable)


def _names_of_solidity(message: object) -> object:
    # In Python, a message also accepts the Python names of its fields; a request has one name for each field.
    values = tuple(message.values()) if isinstance(message, dict) else ()
    inner = [struct for value in values if isinstance(value, list) for struct in value]
    for struct in (message, *inner):
        for name in struct if isinstance(struct, dict) else ():
            if "_" in str(name):
                raise ValueError(f"unknown field {str(name)[:80]!r}; names are as in Solidity, for example datasetId")
    return message


def with_example(example: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a body with an example."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class Submission(BaseModel, Generic[AnySigned]):
    """A message and its signature."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message: Annotated[AnySigned, BeforeValidator(_names_of_solidity)] = Field(
        description="The message, field by field as it was signed."
    )
    signature: str = Field(
        pattern=r"^0x([0-9a-fA-F]{2}){64,4096}$",
        strict=True,
        description="The signer's EIP-712 signature: 65 bytes (v of 0, 1, 27 or 28), the 64 of ERC-2098, or what an "
        "ERC-1271 wallet accepts (up to 4096).",
    )

    @property
    def signature_bytes(self) -> bytes:
        """The signature."""
        return bytes.fromhex(self.signature[2:])
