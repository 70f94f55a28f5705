"""The errors of `DatasetRegistry`, and the refusals of the gateway about documents."""

from __future__ import annotations

from registry.base.errors import Conflict, ContractRefused
from registry.base.primitives import DatasetId
from registry.ethereum.refusals import UNPROCESSABLE, Refusal, RefusalTable

_AGAIN = "Read the current state of the dataset and sign a new message."

REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        "DatasetExists(uint256)",
        ("datasetId",),
        409,
        "The dataset {datasetId} already exists.",
        "The same owner has registered the same content with the same salt. To register it again, use another salt.",
    ),
    Refusal(
        "DatasetUnknown(uint256)",
        ("datasetId",),
        404,
        "There is no dataset {datasetId}.",
        "Check the id; a dataset that was registered just now may not be in a block yet.",
    ),
    Refusal(
        "HeadMismatch(uint256,bytes32,bytes32)",
        ("datasetId", "present", "given"),
        409,
        "The dataset {datasetId} has changed: its head is {present}, but the message follows {given}.",
        _AGAIN,
    ),
    Refusal(
        "DatasetWithdrawn(uint256)",
        ("datasetId",),
        409,
        "The dataset {datasetId} has been withdrawn.",
        "A withdrawal cannot be undone. To use the content again, register it as a new dataset.",
    ),
    Refusal(
        "SourceUnknown(uint256,uint24)",
        ("datasetId", "version"),
        UNPROCESSABLE,
        "The source {datasetId} has no version {version}.",
        "Name only sources that are registered on this chain.",
    ),
    Refusal(
        "SourcesNotAscending(uint256)",
        ("index",),
        UNPROCESSABLE,
        "The sources are not in ascending order of (datasetId, version) at index {index}.",
        "Sort them and remove duplicates.",
    ),
    Refusal(
        "TooManySources(uint256,uint256)",
        ("given", "maximum"),
        UNPROCESSABLE,
        "{given} sources are given, but at most {maximum} are allowed.",
        "Register some of them together as one dataset, and name that dataset.",
    ),
    Refusal("ContentRootZero()", (), UNPROCESSABLE, "The content root is zero.", "Give the root of a manifest."),
    Refusal(
        "VersionsExhausted(uint256)",
        ("datasetId",),
        409,
        "The dataset {datasetId} has reached the highest version number.",
        "Register a new dataset with this one as its source.",
    ),
    # ERC-721, as OpenZeppelin words it
    Refusal(
        "ERC721IncorrectOwner(address,uint256,address)",
        ("sender", "tokenId", "owner"),
        409,
        "The dataset {tokenId} is {owner}'s, not {sender}'s.",
        _AGAIN,
    ),
    Refusal(
        "ERC721InsufficientApproval(address,uint256)",
        ("operator", "tokenId"),
        403,
        "{operator} may not transfer the title to {tokenId}.",
        "The owner can approve it, or sign a transfer.",
    ),
    Refusal(
        "ERC721InvalidApprover(address)", ("approver",), 403, "{approver} may not approve an operator for this title."
    ),
    Refusal("ERC721InvalidOperator(address)", ("operator",), UNPROCESSABLE, "{operator} cannot be an operator."),
    Refusal("ERC721InvalidOwner(address)", ("owner",), UNPROCESSABLE, "{owner} cannot own a dataset."),
    Refusal("ERC721InvalidReceiver(address)", ("receiver",), UNPROCESSABLE, "{receiver} cannot receive a title."),
    Refusal("ERC721InvalidSender(address)", ("sender",), 409, "{sender} cannot transfer this title."),
    Refusal(
        "ERC721NonexistentToken(uint256)",
        ("tokenId",),
        404,
        "There is no dataset {tokenId}.",
        "Check the id; a dataset that was registered just now may not be in a block yet.",
    ),
)


def unknown(dataset_id: DatasetId) -> ContractRefused:
    """Return the contract's error for a dataset that does not exist."""
    return RefusalTable(REFUSALS).refusal_of("DatasetUnknown", datasetId=str(dataset_id))


def withheld(reason: object) -> Conflict:
    """Return the error for a document that the operator withholds.

    Args:
        reason: The operator's reason, as text.
    """
    return Conflict(
        f"The operator of this gateway withholds this document: {reason}",
        hint="Ask the operator. The registration and its proofs are not affected.",
    )
