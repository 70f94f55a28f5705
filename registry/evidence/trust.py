"""Trust policies: how an auditor decides that a block belongs to the chain. A policy is chosen, never assumed.

A bundle shows the contents of some blocks. The bundle alone cannot show that these blocks belong to the chain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from registry.base.canonical import read_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Bytes32
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, VerifierKey


@dataclass(frozen=True, slots=True)
class Claim:
    """A bundle's claim about the chain, on which a policy decides.

    Args:
        chain_id: The chain's id.
        blocks: The hash at each height that must be vouched for. Earlier blocks follow by parent hashes.
        notes: The signed checkpoints that came with the bundle.
    """

    chain_id: int
    blocks: Mapping[int, Bytes32]
    notes: Sequence[Note]


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority that vouched for the blocks, independent of language.

    Args:
        code: The kind of policy: `hashes`, `nodes` or `checkpoints`.
        values: The values in its phrase, as JSON values.
    """

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


class Trust(Protocol):
    """A policy."""

    @property
    def names_the_chain(self) -> bool:
        """Whether vouching for a block covers the chain's id as well."""
        ...

    def vouch(self, claim: Claim) -> Authority:
        """Vouch for all blocks of a claim.

        Raises:
            VerificationFailed: It does not vouch for one of them.

        Returns:
            The authority.
        """
        ...


@dataclass(frozen=True, slots=True)
class PinnedBlocks:
    """Block hashes that the auditor has from another source.

    Args:
        hashes: The hashes.
        chain_id: The chain's id; None if the auditor does not know it.
    """

    hashes: Collection[Bytes32]
    chain_id: int | None = None

    @property
    def names_the_chain(self) -> bool:
        """See Trust."""
        return self.chain_id is not None

    def vouch(self, claim: Claim) -> Authority:
        """See Trust."""
        if self.chain_id is not None and claim.chain_id != self.chain_id:
            raise VerificationFailed(f"The bundle is of chain {claim.chain_id}, not of chain {self.chain_id}.")
        for height, block_hash in claim.blocks.items():
            if block_hash not in self.hashes:
                raise VerificationFailed(
                    f"The bundle needs the block {block_hash} at height {height}, which is not among those given.",
                    hint="Give the hash that you have from another source for each of: "
                    f"{', '.join(str(number) for number in claim.blocks)}.",
                )
        return Authority("hashes", {"count": len(claim.blocks)})


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """The answer of one node about its chain.

    Args:
        name: The node's name in reports.
        chain_id: The chain's id.
        blocks: The hash at each requested height.
    """

    name: str
    chain_id: int
    blocks: Mapping[int, Bytes32]


@dataclass(frozen=True, slots=True)
class AgreeingNodes:
    """Nodes chosen by the auditor, all of which must agree. Their answers are fetched beforehand.

    Args:
        answers: The answer of each node; at least one.
    """

    answers: Sequence[NodeAnswer]

    @property
    def names_the_chain(self) -> bool:
        """See Trust."""
        return True

    def vouch(self, claim: Claim) -> Authority:
        """See Trust."""
        if not self.answers:
            raise InvalidInput("At least one node must be asked.")
        for answer in self.answers:
            if answer.chain_id != claim.chain_id:
                raise VerificationFailed(f"{answer.name} has chain {answer.chain_id}, the bundle {claim.chain_id}.")
            for height, block_hash in claim.blocks.items():
                found = answer.blocks.get(height)
                if found != block_hash:
                    has = "no block" if found is None else f"the block {found}"
                    raise VerificationFailed(f"{answer.name} has {has} at height {height}, the bundle {block_hash}.")
        return Authority("nodes", {"names": [answer.name for answer in self.answers]})


@dataclass(frozen=True, slots=True)
class SignedCheckpoints:
    """Checkpoints that a node signed and enough independent witnesses cosigned.

    Args:
        node: The key of the node.
        witnesses: The keys of the witnesses, each with a different holder.
        threshold: The number of witnesses that must have cosigned.
    """

    node: VerifierKey
    witnesses: Sequence[VerifierKey]
    threshold: int

    def __post_init__(self) -> None:
        keys = {witness.public for witness in self.witnesses} - {self.node.public}
        if len(keys) != len(self.witnesses) or any(key.kind is not KeyKind.COSIGNATURE for key in self.witnesses):
            raise InvalidInput("Each witness has a cosigning key of its own.")
        if self.node.kind is not KeyKind.NOTE:
            raise InvalidInput("The node's key is one that signs notes.")
        if not 0 <= self.threshold <= len(self.witnesses):
            raise InvalidInput(f"Of {len(self.witnesses)} witnesses, {self.threshold} cannot be asked for.")

    @classmethod
    def parse(cls, source: bytes) -> Self:
        """Return a policy from JSON: ``{"node": key, "witnesses": [key, ...], "threshold": N}``.

        Raises:
            InvalidInput: It is not a policy.
        """
        match read_json(source):
            case {"node": str(node), "witnesses": [*witnesses], "threshold": threshold, **rest} if not rest:
                # JSON has only one type of number: 1.0 equals 1.
                is_whole = type(threshold) is int or (type(threshold) is float and threshold.is_integer())
                if is_whole and all(isinstance(key, str) for key in witnesses):
                    keys = [VerifierKey.parse(str(key)) for key in witnesses]
                    return cls(VerifierKey.parse(node), keys, int(threshold))
        raise InvalidInput('A policy is a JSON object with "node", "witnesses" and "threshold", and nothing else.')

    @property
    def names_the_chain(self) -> bool:
        """See Trust."""
        return True

    def vouch(self, claim: Claim) -> Authority:
        """See Trust."""
        notes = {Checkpoint.of(note): note for note in claim.notes}
        for height, block_hash in claim.blocks.items():
            note = notes.get(Checkpoint(claim.chain_id, height, block_hash))
            if note is None:
                raise VerificationFailed(f"There is no checkpoint for the block {block_hash} at height {height}.")
            note.verify(self.node)
            known = [key for key in self.witnesses if any(line.is_by(key) for line in note.signatures)]
            for key in known:
                note.verify(key)
            if len(known) < self.threshold:
                raise VerificationFailed(
                    f"{len(known)} of the {len(self.witnesses)} witnesses cosigned the checkpoint at height {height}; "
                    f"{self.threshold} are needed."
                )
        return Authority(
            "checkpoints",
            {"name": self.node.name, "threshold": self.threshold, "witnesses": len(self.witnesses)},
        )
