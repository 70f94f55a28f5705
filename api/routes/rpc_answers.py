"""The calls and answers of JSON-RPC."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema


class RpcCall(BaseModel):
    """One JSON-RPC request. Only methods that read are executed."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    id: int | str | None
    method: str = Field(examples=["eth_blockNumber"])
    params: list[Any] = []


class RpcError(BaseModel):
    """The error of a JSON-RPC request."""

    model_config = ConfigDict(extra="forbid")

    code: int = Field(examples=[-32601])
    message: str
    data: Any = Field(None, description="Data from the chain, for example a revert's; absent if there is none.")


class RpcAnswer(BaseModel):
    """One JSON-RPC answer: with either `result` or `error`."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    id: int | str | None
    result: Any = Field(None, description="Absent if there is an error.", examples=["0x2a"])
    error: RpcError | SkipJsonSchema[None] = Field(None, description="Absent if there is a result.")
