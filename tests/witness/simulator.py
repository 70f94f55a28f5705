"""A chain that branches on request, with headers that hash as real ones do. It answers the requests of a witness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp

from registry.base.primitives import Bytes32, keccak256
from registry.chain.client import ChainIdentity, ChainUnavailable, RpcError
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, SigningKey

CHAIN_ID = 4711
ZERO = "0x" + "00" * 32
NODE = SigningKey("node.example", KeyKind.NOTE, b"\x01" * 32)
STRANGER = SigningKey("node.example", KeyKind.NOTE, b"\x02" * 32)

Block = dict[str, Any]


def block_after(parent: Block | None, salt: int) -> Block:
    """A block whose hash depends on its parent and a number."""
    number = 0 if parent is None else int(parent["number"], 16) + 1
    data = [ZERO if parent is None else parent["hash"], ZERO, "0x" + "00" * 20, ZERO, ZERO, ZERO, "0x" + "00" * 256]
    numbers = [0, number, 30_000_000, 0, 1_700_000_000 + number]
    tail = [f"0x{salt:08x}", ZERO, "0x" + "00" * 8]
    fields = [bytes.fromhex(item[2:]) for item in data]
    fields += [item.to_bytes((item.bit_length() + 7) // 8, "big") for item in numbers]
    fields += [bytes.fromhex(item[2:]) for item in tail]
    names = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom")
    counts = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
    return {
        **dict(zip(names, data, strict=True)),
        **dict(zip(counts, map(hex, numbers), strict=True)),
        **dict(zip(("extraData", "mixHash", "nonce"), tail, strict=True)),
        "hash": f"0x{keccak256(rlp.encode(fields)).hex()}",
    }


GENESIS = block_after(None, 0)


class SimulatedChain:
    """A node that is on one of several branches, each a list of blocks from genesis on."""

    def __init__(self) -> None:
        self.branches: list[list[Block]] = [[GENESIS]]
        self.current = 0
        self.lag = 0
        self.is_down = False
        self._salt = 0

    @property
    def blocks(self) -> list[Block]:
        """Return its branch, up to the last block that it shows."""
        branch = self.branches[self.current]
        return branch[: max(1, len(branch) - self.lag)]

    def grow(self, branch: int, count: int) -> None:
        """Adds blocks to a branch."""
        for _ in range(count):
            self._salt += 1
            self.branches[branch].append(block_after(self.branches[branch][-1], self._salt))

    def split(self, branch: int, height: int) -> int:
        """A new branch that has the blocks of another up to a height, and one of its own."""
        self.branches.append(self.branches[branch][: height + 1])
        self.grow(len(self.branches) - 1, 1)
        return len(self.branches) - 1

    def checkpoint(self, branch: int, height: int) -> Checkpoint:
        """Return the checkpoint at a height of a branch."""
        return Checkpoint(CHAIN_ID, height, Bytes32.parse(self.branches[branch][height]["hash"]))

    def note(self, branch: int, height: int, key: SigningKey = NODE) -> Note:
        """Return the node's note of that checkpoint."""
        return key.sign(self.checkpoint(branch, height).note(), 0)

    @property
    def identity(self) -> ChainIdentity:
        return ChainIdentity(CHAIN_ID, Bytes32.parse(GENESIS["hash"]))

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        if self.is_down:
            raise ChainUnavailable("The simulated node is down.")
        assert method == "eth_getBlockByNumber"
        block = params[0]
        height = len(self.blocks) - 1 if block in ("finalized", "latest") else int(str(block), 16)
        return self.blocks[height] if height < len(self.blocks) else None

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        return [self.request(method, params) for method, params in calls]

    def close(self) -> None:
        """Nothing is held."""
