"""What every chain looks like from here: Ethereum's JSON-RPC, synchronous and safe to use from several threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from registry.base.errors import Conflict, InvalidInput, RegistryError, Unavailable
from registry.base.primitives import Bytes32

READ_METHODS = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getBlockReceipts",
        "eth_getBlockTransactionCountByHash",
        "eth_getBlockTransactionCountByNumber",
        "eth_getCode",
        "eth_getLogs",
        "eth_getProof",
        "eth_getStorageAt",
        "eth_getTransactionByBlockHashAndIndex",
        "eth_getTransactionByBlockNumberAndIndex",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_syncing",
        "net_version",
        "web3_clientVersion",
    }
)
"""The methods that change nothing: what may be offered to strangers."""

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
LIMIT_EXCEEDED = -32005
SERVER_ERROR = -32000
EXECUTION_REVERTED = 3


class RpcError(RegistryError):
    """The node understood the request and answered with an error. Asking again will give the same answer.

    Args:
        code: The JSON-RPC error code; 3 where a contract reverted.
        message: The node's message, in its own words.
        data: What the node added; for a revert the revert bytes as 0x-prefixed hex.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class ChainUnavailable(Unavailable):
    """No usable answer came. The request may or may not have been carried out.

    Args:
        message: One sentence: what was tried and what happened.
        hint: What the reader can do about it.
        retry_after: Seconds after which the node said it may be asked again, if it said so.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class WrongChain(Conflict):
    """An endpoint serves another chain than the expected one; nothing was asked of it beyond that."""


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """Which chain it is: two chains may share an id by mistake, but never a genesis block."""

    chain_id: int
    genesis_hash: Bytes32

    def __str__(self) -> str:
        return f"chain {self.chain_id} with genesis {self.genesis_hash}"


class Chain(Protocol):
    """Ethereum's JSON-RPC. Values are as JSON has them: 0x-prefixed hex strings, objects with camelCase keys, null."""

    @property
    def identity(self) -> ChainIdentity:
        """Which chain it is. May have to ask, and then raises as `request` does."""
        ...

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        """Asks for one thing.

        Args:
            method: For example ``eth_getBlockByNumber``.
            params: Its parameters, as JSON would carry them.

        Raises:
            RpcError: The node's answer is an error.
            ChainUnavailable: No usable answer came.
            WrongChain: The endpoint serves another chain.

        Returns:
            The result, as JSON carried it.
        """
        ...

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        """Asks for several things at once; they are carried out in order.

        Args:
            calls: Pairs of method and parameters.

        Raises:
            ChainUnavailable: No usable answer came to some of them; any of them may have been carried out.
            WrongChain: The endpoint serves another chain.

        Returns:
            The results in the order of `calls`; an error in the place of a result whose call failed.
        """
        ...

    def close(self) -> None:
        """Ends all use and frees what was held."""
        ...


def identity_of(chain: Chain) -> ChainIdentity:
    """Asks a chain for its id and the hash of its genesis block.

    Raises:
        RpcError: The node refused to say.
        ChainUnavailable: No usable answer came.
    """
    answers = chain.batch([("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False))])
    for answer in answers:
        if isinstance(answer, RpcError):
            raise answer
    return read_identity(*answers)


def read_identity(chain_id: Any, genesis: Any) -> ChainIdentity:
    """The identity, from the answers to ``eth_chainId`` and to the question for block 0.

    Raises:
        ChainUnavailable: They are no such answers.
    """
    try:
        return ChainIdentity(int(chain_id, 16), Bytes32.parse(genesis["hash"]))
    except (TypeError, ValueError, KeyError, InvalidInput) as error:
        raise ChainUnavailable("The node did not say which chain it serves.") from error
