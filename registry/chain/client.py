"""The chain interface: Ethereum's JSON-RPC, synchronous and safe to use from several threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from registry.base.errors import Conflict, InvalidInput, RegistryError, Unavailable, VerificationFailed
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
"""The methods that change nothing, and may be offered to anonymous clients."""

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
LIMIT_EXCEEDED = -32005
SERVER_ERROR = -32000
EXECUTION_REVERTED = 3


class RpcError(RegistryError):
    """The node understood the request and returned an error. A retry would return the same error.

    Args:
        code: The JSON-RPC error code; 3 where a contract reverted.
        message: The node's message.
        data: Additional data from the node; for a revert, the revert bytes as 0x-prefixed hex.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class ChainUnavailable(Unavailable):
    """There was no usable answer. The request may have been executed.

    Args:
        message: One sentence: what was tried and what happened.
        hint: What the reader can do about it.
        retry_after: Seconds after which the node may be asked again, if it said so.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class WrongChain(Conflict):
    """An endpoint serves a different chain from the expected one. It was asked for nothing else."""


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """The identity of a chain. Two chains may share an id by mistake, but not a genesis block.

    Args:
        chain_id: The chain's id (EIP-155).
        genesis_hash: The hash of its first block.
    """

    chain_id: int
    genesis_hash: Bytes32

    def __str__(self) -> str:
        return f"chain {self.chain_id} with genesis {self.genesis_hash}"


class Chain(Protocol):
    """Ethereum's JSON-RPC. Values are in JSON form: 0x-prefixed hex strings, objects with camelCase keys, null."""

    @property
    def identity(self) -> ChainIdentity:
        """Return the chain's identity. May send a request, and then raises as `request` does."""
        ...

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        """Send one request.

        Args:
            method: For example ``eth_getBlockByNumber``.
            params: Its parameters, in JSON form.

        Returns:
            The result, in JSON form.

        Raises:
            RpcError: The node returned an error.
            ChainUnavailable: There was no usable answer.
            WrongChain: The endpoint serves a different chain.
        """
        ...

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        """Send several requests at once; they are executed in order.

        Args:
            calls: Pairs of method and parameters.

        Returns:
            The results in the order of `calls`; an error in place of the result of a call that failed.

        Raises:
            ChainUnavailable: Some calls had no usable answer; each of them may have been executed.
            WrongChain: The endpoint serves a different chain.
        """
        ...

    def close(self) -> None:
        """Release all resources. The chain cannot be used afterwards."""
        ...


@contextmanager
def decoding(complaint: str, *, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Decode a node's answers within this context. Answers of the wrong kind are the node's fault, not the caller's.

    Args:
        complaint: One sentence: what was wrong with the answer.
        passing: The errors that say something else and leave the context unchanged.

    Raises:
        ChainUnavailable: An answer is not of the kind that was expected.
    """
    try:
        yield
    except passing:
        raise
    except (AttributeError, LookupError, TypeError, ValueError, InvalidInput, VerificationFailed) as error:
        raise ChainUnavailable(complaint) from error


def identity_of(chain: Chain) -> ChainIdentity:
    """Ask a chain for its id and the hash of its genesis block.

    Raises:
        RpcError: The node returned an error.
        ChainUnavailable: There was no usable answer.
    """
    answers = chain.batch([("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False))])
    for answer in answers:
        if isinstance(answer, RpcError):
            raise answer
    return read_identity(*answers)


def read_identity(chain_id: Any, genesis: Any) -> ChainIdentity:
    """Return the identity from the answers to ``eth_chainId`` and to the request for block 0.

    Args:
        chain_id: The answer to ``eth_chainId``.
        genesis: The answer to ``eth_getBlockByNumber`` for block 0.

    Raises:
        ChainUnavailable: The answers are malformed.
    """
    with decoding("The node did not identify its chain."):
        return ChainIdentity(int(chain_id, 16), Bytes32.parse(genesis["hash"]))
