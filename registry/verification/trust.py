"""Make a trust policy from an auditor's options: block hashes, nodes, or the keys of a node and of witnesses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from registry.base.errors import InvalidInput
from registry.base.lazy import lazy
from registry.base.primitives import Address, Bytes32
from registry.certificate import attachment
from registry.evidence.trust import AgreeingNodes, NodeAnswer, PinnedBlocks, SignedCheckpoints, Trust
from registry.evidence.verify import blocks_to_vouch_for
from registry.rooms.protocols import PROTOCOLS

if TYPE_CHECKING:
    from registry.chain import history, rpc
else:  # Only nodes need the network, whose modules take longer to import than a verification takes.
    history, rpc = lazy("registry.chain.history"), lazy("registry.chain.rpc")


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """An auditor's choice of trust: exactly one of hashes, nodes and policy.

    Args:
        hashes: Block hashes that the auditor has from another source.
        nodes: URLs of nodes, all of which must agree. Only they use the network.
        policy: A file with the keys of a node and of witnesses, or None.
        chain_id: The chain's id, if given with block hashes.
        contracts: The contracts' addresses that the auditor knows, by name.
    """

    hashes: Sequence[str] = ()
    nodes: Sequence[str] = ()
    policy: Path | None = None
    chain_id: int | None = None
    contracts: Mapping[str, Address] = field(default_factory=dict)

    def trust(self, bundle: bytes) -> Trust:
        """Return the trust policy for a bundle.

        Raises:
            InvalidInput: Not exactly one kind is given, or it is malformed.
            ChainUnavailable: A node gave no usable answer.
            StepFailed: The bundle is malformed.
        """
        if [bool(self.hashes), bool(self.nodes), self.policy is not None].count(True) != 1:
            raise InvalidInput("No trust source given.", hint="Use exactly one of --block-hash, --rpc or --trust.")
        if self.policy is not None:
            return SignedCheckpoints.parse(read_bytes(self.policy))
        if self.hashes:
            return PinnedBlocks({Bytes32.parse(text) for text in self.hashes}, self.chain_id)
        heights = blocks_to_vouch_for(bundle, PROTOCOLS)
        return AgreeingNodes([_ask(url, heights) for url in self.nodes])


def read_bytes(file: Path) -> bytes:
    """Return the content of a file, up to the maximum size of bundles and certificates.

    Raises:
        InvalidInput: The file cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(attachment.MAX_PDF_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be read: {error.strerror}.") from error


def _ask(url: str, heights: Iterable[int]) -> NodeAnswer:
    chain = rpc.RpcChain([url])
    try:
        blocks = {height: history.block_at(chain, hex(height)).hash for height in heights}
        return NodeAnswer(chain.name, chain.identity.chain_id, blocks)
    finally:
        chain.close()
