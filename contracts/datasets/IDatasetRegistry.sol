// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ISignedMessages} from "../shared/ISignedMessages.sol";

/// @title Titles to datasets, and the whole history of their content, in one storage slot a dataset
/// @notice A dataset is an ERC-721 token. Its content is known by a Merkle root (RFC 9162, SHA-256), its history by
/// its head: a hash chain over every version, transfer and withdrawal.
///
/// Every action has one entry point that takes a message and a signature. With an empty signature the caller acts by
/// sending; otherwise the signature is the owner's EIP-712 signature over the message (ECDSA, or ERC-1271 where the
/// owner is a contract), and anybody may send it.
///
/// A message is effective at most once, because it names the state it acts on: a registration the id it creates, every
/// other message the head it follows. Whatever changes the head cancels all that was signed for the old one.
///
/// The contract has no owner, no administrator and no upgrade. It holds no ether.
///
/// @dev A head is 32 bytes: 28 bytes of a Keccak-256 hash, then the version number (uint24, big-endian), then the
/// status (uint8: 0 active, 1 withdrawn). A step of the chain is
/// `hash = keccak256(abi.encode(previousHead, step))`, cut to its first 28 bytes, where `step` is
///   registration  keccak256(abi.encode(REGISTRATION_STEP, datasetId, owner, contentRoot, metadataHash, keccak256(uri), keccak256(abi.encode(sources))))
///   revision      keccak256(abi.encode(REVISION_STEP, contentRoot, metadataHash, keccak256(uri), keccak256(abi.encode(sources))))
///   transfer      keccak256(abi.encode(TRANSFER_STEP, from, to))
///   withdrawal    keccak256(abi.encode(WITHDRAWAL_STEP, keccak256(reason)))
/// and each `*_STEP` is keccak256 of "tdr.registration", "tdr.revision", "tdr.transfer", "tdr.withdrawal".
interface IDatasetRegistry is IERC721, ISignedMessages {
    /// @notice An exact version of a dataset from which another version derives.
    /// @param datasetId The dataset derived from.
    /// @param version Its version, 1 or higher.
    struct Source {
        uint256 datasetId;
        uint24 version;
    }

    /// @notice The message that brings a dataset into being as version 1.
    /// @param owner Its first owner, who signs or sends.
    /// @param contentRoot The Merkle root of its manifest; not zero.
    /// @param metadataHash SHA-256 of its metadata in canonical form (RFC 8785), or zero.
    /// @param uri Where its metadata may be found; at most MAX_URI_BYTES bytes, may be empty.
    /// @param salt Chosen by the owner, so that one owner may register one content twice.
    /// @param sources What it derives from, strictly ascending by (datasetId, version); at most MAX_SOURCES.
    /// @param deadline Unix time in seconds, UTC, after which the message has no effect.
    struct Registration {
        address owner;
        bytes32 contentRoot;
        bytes32 metadataHash;
        string uri;
        bytes32 salt;
        Source[] sources;
        uint64 deadline;
    }

    /// @notice The message that gives a dataset its next version.
    /// @param datasetId The dataset.
    /// @param head The head this message follows.
    /// @param contentRoot The Merkle root of the new version's manifest; not zero.
    /// @param metadataHash SHA-256 of its metadata in canonical form (RFC 8785), or zero.
    /// @param uri Where its metadata may be found; at most MAX_URI_BYTES bytes, may be empty.
    /// @param sources What it derives from, strictly ascending by (datasetId, version); at most MAX_SOURCES.
    /// @param deadline Unix time in seconds, UTC, after which the message has no effect.
    struct Revision {
        uint256 datasetId;
        bytes32 head;
        bytes32 contentRoot;
        bytes32 metadataHash;
        string uri;
        Source[] sources;
        uint64 deadline;
    }

    /// @notice The message that passes the title on.
    /// @param datasetId The dataset.
    /// @param head The head this message follows.
    /// @param to The new owner; not zero. It is not called back.
    /// @param deadline Unix time in seconds, UTC, after which the message has no effect.
    struct TitleTransfer {
        uint256 datasetId;
        bytes32 head;
        address to;
        uint64 deadline;
    }

    /// @notice The message that withdraws a dataset for good. Its history and its title remain.
    /// @param datasetId The dataset.
    /// @param head The head this message follows.
    /// @param reason Why, in the owner's words; at most MAX_REASON_BYTES bytes, may be empty.
    /// @param deadline Unix time in seconds, UTC, after which the message has no effect.
    struct Withdrawal {
        uint256 datasetId;
        bytes32 head;
        string reason;
        uint64 deadline;
    }

    /// @notice A dataset came into being as version 1.
    event Registered(
        uint256 indexed datasetId,
        address indexed owner,
        bytes32 indexed contentRoot,
        bytes32 metadataHash,
        bytes32 salt,
        string uri,
        Source[] sources
    );

    /// @notice A dataset has a new version.
    event Revised(
        uint256 indexed datasetId,
        uint24 indexed version,
        bytes32 indexed contentRoot,
        bytes32 metadataHash,
        string uri,
        Source[] sources
    );

    /// @notice A dataset was withdrawn by its owner.
    event Withdrawn(uint256 indexed datasetId, string reason);

    /// @notice A dataset with this id exists already.
    error DatasetExists(uint256 datasetId);
    /// @notice No dataset has this id.
    error DatasetUnknown(uint256 datasetId);
    /// @notice The message follows another head than the dataset's present one.
    error HeadMismatch(uint256 datasetId, bytes32 present, bytes32 given);
    /// @notice The dataset has been withdrawn.
    error DatasetWithdrawn(uint256 datasetId);
    /// @notice A source names a dataset or version that does not exist.
    error SourceUnknown(uint256 datasetId, uint24 version);
    /// @notice The sources are not strictly ascending at this index.
    error SourcesNotAscending(uint256 index);
    /// @notice There are more sources than MAX_SOURCES.
    error TooManySources(uint256 given, uint256 maximum);
    /// @notice The content root is zero.
    error ContentRootZero();
    /// @notice The dataset has reached the highest version number there is.
    error VersionsExhausted(uint256 datasetId);

    /// @notice Registers a dataset as version 1, for `message.owner`.
    /// @dev Mints without calling the owner back. Emits ERC-721's Transfer, then Registered.
    /// @param message The registration.
    /// @param signature Empty if the owner is the caller, else the owner's EIP-712 signature.
    /// @return datasetId `uint256(keccak256(abi.encode(owner, contentRoot, salt)))`.
    function register(Registration calldata message, bytes calldata signature) external returns (uint256 datasetId);

    /// @notice Gives a dataset its next version.
    /// @param message The revision.
    /// @param signature Empty if the caller is the owner or an operator of theirs, else the owner's EIP-712 signature.
    /// @return version The new version's number.
    function revise(Revision calldata message, bytes calldata signature) external returns (uint24 version);

    /// @notice Passes the title on. Grants remain until the new owner revokes them.
    /// @dev The recipient is not called back: a contract that cannot handle ERC-721 tokens would hold the title for ever.
    /// @param message The transfer.
    /// @param signature Empty if the caller is the owner or an operator of theirs, else the owner's EIP-712 signature.
    function transfer(TitleTransfer calldata message, bytes calldata signature) external;

    /// @notice Withdraws a dataset for good: no further version, no further grant. Nothing of its history is deleted.
    /// @dev The title can still pass on, and other datasets may still name the dataset's versions as sources.
    /// @param message The withdrawal.
    /// @param signature Empty if the caller is the owner or an operator of theirs, else the owner's EIP-712 signature.
    function withdraw(Withdrawal calldata message, bytes calldata signature) external;

    /// @notice The dataset's head; zero if there is no such dataset.
    /// @param datasetId The dataset.
    function headOf(uint256 datasetId) external view returns (bytes32 head);

    /// @notice The number of the dataset's latest version; zero if there is no such dataset.
    /// @param datasetId The dataset.
    function versionOf(uint256 datasetId) external view returns (uint24 version);

    /// @notice Whether the dataset exists and has been withdrawn.
    /// @param datasetId The dataset.
    function isWithdrawn(uint256 datasetId) external view returns (bool withdrawn);

    /// @notice The id that a registration would create.
    /// @param owner The first owner.
    /// @param contentRoot The Merkle root of the manifest.
    /// @param salt The registration's salt.
    function datasetIdOf(address owner, bytes32 contentRoot, bytes32 salt) external pure returns (uint256 datasetId);

    /// @notice The owner and the head of a dataset in one call; both zero if there is no such dataset.
    /// @param datasetId The dataset.
    function titleOf(uint256 datasetId) external view returns (address owner, bytes32 head);

    /// @notice The EIP-712 digest that the owner signs for this registration.
    /// @param message The registration.
    function registrationDigest(Registration calldata message) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest that the owner signs for this revision.
    /// @param message The revision.
    function revisionDigest(Revision calldata message) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest that the owner signs for this transfer.
    /// @param message The transfer.
    function titleTransferDigest(TitleTransfer calldata message) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest that the owner signs for this withdrawal.
    /// @param message The withdrawal.
    function withdrawalDigest(Withdrawal calldata message) external view returns (bytes32 digest);

    /// @notice The longest uri, in bytes.
    function MAX_URI_BYTES() external view returns (uint256);

    /// @notice The longest withdrawal reason, in bytes.
    function MAX_REASON_BYTES() external view returns (uint256);

    /// @notice The largest number of sources a version may name.
    function MAX_SOURCES() external view returns (uint256);
}
