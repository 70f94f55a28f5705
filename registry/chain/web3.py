"""web3.py on top of a `Chain`, for example `connect(chain).eth.get_block("latest")`."""

from __future__ import annotations

from typing import Any

import orjson
from web3 import Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from registry.chain.client import Chain, RpcError


class ChainProvider(JSONBaseProvider):
    """A web3.py provider that sends its requests to a chain.

    Args:
        chain: The chain.
    """

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self._chain = chain

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Send one request. An error of the node becomes an error response, as web3 expects."""
        # web3 may pass its own types of bytes and mappings; a chain takes JSON.
        request = orjson.loads(self.encode_rpc_request(method, params))
        response: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            response["result"] = self._chain.request(method, request["params"])
        except RpcError as error:
            response["error"] = {"code": error.code, "message": error.message, "data": error.data}
        return response  # type: ignore[return-value]

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Return whether the chain answers."""
        self._chain.request("web3_clientVersion")
        return True


def connect(chain: Chain) -> Web3:
    """Return a web3.py instance that sends its requests to `chain`."""
    return Web3(ChainProvider(chain))
