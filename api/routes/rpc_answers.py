"""The calls and answers of JSON-RPC."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema


class RpcCall(BaseModel):
    """One JSON-RPC request. Only methods that read are carried out."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    id: int | str | None
    method: str = Field(examples=["eth_blockNumber"])
    params: list[Any] = []


class RpcError(BaseModel):
    """Why a JSON-RPC request was not carried out."""

    model_config = ConfigDict(extra="forbid")

    code: int = Field(examples=[-32601])
    message: str
    data: Any = Field(None, description="What the chain adds, such as the data of a revert; absent where it adds none.")


class RpcAnswer(BaseModel):
    """One JSON-RPC answer: with `result` or with `error`, never with both."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    id: int | str | None
    result: Any = Field(None, description="Absent where there is an error.", examples=["0x2a"])
    error: RpcError | SkipJsonSchema[None] = Field(None, description="Absent where there is a result.")
