"""The facts that a certificate states. They are taken from its evidence bundle, so the two cannot differ.

Only the number of grantees whom the bundle leaves out comes from the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.evidence.bundle import Bundle, Content
from registry.evidence.command import trust_options
from registry.rooms.access.proof import AccessRecord, access_in
from registry.rooms.access.records import rights_names
from registry.rooms.datasets.messages import CONTRACT, Source
from registry.rooms.datasets.proof import dataset_in, versions_in, withdrawal_in


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its height and time (Unix seconds, UTC)."""

    number: int
    time: int


@dataclass(frozen=True, slots=True)
class Permission:
    """Access that is active at the certificate's block.

    Args:
        grantee: The grantee.
        rights: The names of the rights.
        until: The end of the access, Unix seconds, UTC.
    """

    grantee: Address
    rights: tuple[str, ...]
    until: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about one version of a dataset, as of a block.

    Args:
        chain_id: The chain's id (EIP-155).
        registry: The address of the contract that records datasets.
        dataset_id: The dataset.
        version: The number of the certified version.
        latest_version: The number of the latest version.
        name: The version's name from its metadata; None where the bundle has none.
        license: Its licence from its metadata; None where the bundle has none.
        content_root: The root of its manifest.
        metadata_hash: SHA-256 of its metadata, or zero.
        files: The number of its files; None where the bundle does not contain the manifest.
        size: The size of all files in bytes; None where it is not known.
        sources: The versions that it derives from.
        claimant: The owner of the dataset when the version was registered.
        owner: The owner at the block of `as_of`.
        registered: The block in which the version was registered.
        as_of: The block at which these facts are true.
        as_of_hash: The hash of that block.
        withdrawn_because: The reason of its withdrawal, empty if none was given; None if it is not withdrawn.
        permissions: The access active at that block, of the grantees that the bundle contains.
        is_complete: Whether the bundle proves that no later event was left out.
        further: The number of other grantees with access at that block, as the node reports it.
        trust: The options with which `tdr verify` checks the bundle offline, each with its value.
    """

    chain_id: int
    registry: Address
    dataset_id: DatasetId
    version: int
    latest_version: int
    name: str | None
    license: str | None
    content_root: Bytes32
    metadata_hash: Bytes32
    files: int | None
    size: int | None
    sources: tuple[Source, ...]
    claimant: Address
    owner: Address
    registered: Block
    as_of: Block
    as_of_hash: Bytes32
    withdrawn_because: str | None
    permissions: tuple[Permission, ...]
    is_complete: bool
    further: int = 0
    trust: tuple[str, ...] = ()

    @property
    def is_withdrawn(self) -> bool:
        """Whether the dataset is withdrawn."""
        return self.withdrawn_because is not None


def facts_of(bundle: Bundle, version: int | None = None, further: int = 0) -> Facts:
    """Return the facts that a bundle states. The bundle must be verified before: nothing is checked here.

    Args:
        bundle: The bundle.
        version: The version to certify; None for the one whose content it contains, or else the latest.
        further: The number of grantees with access besides those in the bundle.

    Raises:
        InvalidInput: The bundle does not contain the registration of that version.
    """
    record, dataset = bundle.record, dataset_in(bundle.record)
    content = bundle.content if bundle.content and version in (None, bundle.content.version) else None
    number = content.version if content else version or dataset.version
    versions = versions_in(record)
    if not 1 <= number <= len(versions):
        raise InvalidInput(f"The bundle does not contain the registration of version {number}.")
    made = versions[number - 1]
    metadata: Mapping[str, Any] = (content and content.metadata) or {}
    listed = _listed(content)
    withdrawal = withdrawal_in(record)
    return Facts(
        chain_id=bundle.chain_id,
        registry=bundle.contracts.addresses()[CONTRACT],
        dataset_id=bundle.dataset_id,
        version=number,
        latest_version=dataset.version,
        name=_text(metadata.get("name")),
        license=_text(metadata.get("license")),
        content_root=made.content_root,
        metadata_hash=made.metadata_hash,
        files=None if listed is None else len(listed),
        size=_total(listed),
        sources=made.sources,
        claimant=made.claimant,
        owner=dataset.owner,
        registered=Block(made.block, made.time),
        as_of=Block(record.block.number, record.block.time),
        as_of_hash=record.block.hash,
        withdrawn_because=None if withdrawal is None else _text(withdrawal.reason) or "",
        permissions=tuple(_permission(access) for access in access_in(record) if _holds(access, record.block.time)),
        is_complete=bundle.state is not None,
        further=further,
        trust=trust_options(bundle),
    )


def _listed(content: Content | None) -> list[Mapping[str, Any]] | None:
    return None if content is None or content.manifest is None else content.manifest["files"]


def _total(listed: list[Mapping[str, Any]] | None) -> int | None:
    sizes = [file["size"] for file in listed or ()]
    return sum(size for size in sizes if size is not None) if sizes and None not in sizes else None


def _holds(access: AccessRecord, time: int) -> bool:
    return access.rights != 0 and access.starts_at <= time < access.expires_at


def _permission(access: AccessRecord) -> Permission:
    return Permission(access.grantee, rights_names(access.rights), access.expires_at)


def _text(value: object) -> str | None:
    """Return a string, or None for anything else: metadata is untrusted, and Solidity's strings need not be UTF-8."""
    return value if isinstance(value, str) else None
