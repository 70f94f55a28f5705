// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ISignedMessages} from "../shared/ISignedMessages.sol";

/// @title Registry of datasets: titles, versions and histories, with one storage slot per dataset
/// @notice A dataset is an ERC-721 token. A Merkle root (RFC 9162, SHA-256) identifies its content. Its head identifies
/// its history: a hash chain over every version, transfer and withdrawal.
///
/// Every action has one entry point, which takes a message and a signature. If the signature is empty, the caller is the
/// one who acts. Otherwise the signature is the owner's EIP-712 signature of the message (ECDSA, or ERC-1271 if the
/// owner is a contract), and any account may send the transaction.
///
/// A message takes effect at most once, because it names the state it acts on: a registration names the id it creates,
/// and every other message names the head it follows. A change of the head invalidates every message signed for the
/// previous head.
///
/// The contract has no owner and no administrator, cannot be upgraded, and holds no ether.
///
/// @dev A head is 32 bytes: 28 bytes of a Keccak-256 hash, then the version number (uint24, big-endian), then the
/// status (uint8: 0 active, 1 withdrawn). Each step of the chain computes
/// `hash = keccak256(abi.encode(previousHead, step))`, truncated to its first 28 bytes. `step` is
///   registration  keccak256(abi.encode(REGISTRATION_STEP, datasetId, owner, contentRoot, metadataHash, keccak256(uri), keccak256(abi.encode(sources))))
///   revision      keccak256(abi.encode(REVISION_STEP, contentRoot, metadataHash, keccak256(uri), keccak256(abi.encode(sources))))
///   transfer      keccak256(abi.encode(TRANSFER_STEP, from, to))
///   withdrawal    keccak256(abi.encode(WITHDRAWAL_STEP, keccak256(reason)))
/// where each `*_STEP` is keccak256 of "tdr.registration", "tdr.revision", "tdr.transfer", "tdr.withdrawal".
interface IDatasetRegistry is IERC721, ISignedMessages {
    /// @notice A version of a dataset from which another version derives.
    /// @param datasetId The id of the source dataset.
    /// @param version The version number, 1 or higher.
    struct Source {
        uint256 datasetId;
        uint24 version;
    }

    /// @notice A registration, which creates a dataset with version 1.
    /// @param owner The first owner, who signs or sends the message.
    /// @param contentRoot The Merkle root of the version's manifest; not zero.
    /// @param metadataHash SHA-256 of the version's metadata in canonical form (RFC 8785), or zero.
    /// @param uri The address of the metadata; at most MAX_URI_BYTES bytes, may be empty.
    /// @param salt A value chosen by the owner; different salts let one owner register the same content twice.
    /// @param sources The versions it derives from, strictly ascending by (datasetId, version); at most MAX_SOURCES.
    /// @param deadline Last moment at which the message is accepted, in Unix seconds, UTC.
    struct Registration {
        address owner;
        bytes32 contentRoot;
        bytes32 metadataHash;
        string uri;
        bytes32 salt;
        Source[] sources;
        uint64 deadline;
    }

    /// @notice A revision, which adds the next version to a dataset.
    /// @param datasetId The dataset's id.
    /// @param head The dataset's current head, which this message follows.
    /// @param contentRoot The Merkle root of the new version's manifest; not zero.
    /// @param metadataHash SHA-256 of the new version's metadata in canonical form (RFC 8785), or zero.
    /// @param uri The address of the metadata; at most MAX_URI_BYTES bytes, may be empty.
    /// @param sources The versions it derives from, strictly ascending by (datasetId, version); at most MAX_SOURCES.
    /// @param deadline Last moment at which the message is accepted, in Unix seconds, UTC.
    struct Revision {
        uint256 datasetId;
        bytes32 head;
        bytes32 contentRoot;
        bytes32 metadataHash;
        string uri;
        Source[] sources;
        uint64 deadline;
    }

    /// @notice A transfer of the title to another account.
    /// @param datasetId The dataset's id.
    /// @param head The dataset's current head, which this message follows.
    /// @param to The new owner; not zero. If it is a contract, it is not notified.
    /// @param deadline Last moment at which the message is accepted, in Unix seconds, UTC.
    struct TitleTransfer {
        uint256 datasetId;
        bytes32 head;
        address to;
        uint64 deadline;
    }

    /// @notice A withdrawal, which is permanent. The dataset's history and title remain.
    /// @param datasetId The dataset's id.
    /// @param head The dataset's current head, which this message follows.
    /// @param reason The reason, in the owner's words; at most MAX_REASON_BYTES bytes, may be empty.
    /// @param deadline Last moment at which the message is accepted, in Unix seconds, UTC.
    struct Withdrawal {
        uint256 datasetId;
        bytes32 head;
        string reason;
        uint64 deadline;
    }

    /// @notice A dataset was registered with version 1.
    /// @param datasetId The dataset's id.
    /// @param owner The first owner.
    /// @param contentRoot The Merkle root of the version's manifest.
    /// @param metadataHash SHA-256 of the version's metadata, or zero.
    /// @param salt The salt of the registration.
    /// @param uri The address of the metadata; may be empty.
    /// @param sources The versions it derives from.
    event Registered(
        uint256 indexed datasetId,
        address indexed owner,
        bytes32 indexed contentRoot,
        bytes32 metadataHash,
        bytes32 salt,
        string uri,
        Source[] sources
    );

    /// @notice A new version was added to a dataset.
    /// @param datasetId The dataset's id.
    /// @param version The number of the new version.
    /// @param contentRoot The Merkle root of the version's manifest.
    /// @param metadataHash SHA-256 of the version's metadata, or zero.
    /// @param uri The address of the metadata; may be empty.
    /// @param sources The versions it derives from.
    event Revised(
        uint256 indexed datasetId,
        uint24 indexed version,
        bytes32 indexed contentRoot,
        bytes32 metadataHash,
        string uri,
        Source[] sources
    );

    /// @notice A dataset was withdrawn by its owner.
    /// @param datasetId The dataset's id.
    /// @param reason The reason, in the owner's words; may be empty.
    event Withdrawn(uint256 indexed datasetId, string reason);

    /// @notice A dataset with this id already exists.
    /// @param datasetId The id that the registration would create.
    error DatasetExists(uint256 datasetId);
    /// @notice No dataset has this id.
    /// @param datasetId The id given.
    error DatasetUnknown(uint256 datasetId);
    /// @notice The message names a head other than the dataset's current head.
    /// @param datasetId The dataset's id.
    /// @param present The current head.
    /// @param given The head that the message names.
    error HeadMismatch(uint256 datasetId, bytes32 present, bytes32 given);
    /// @notice The dataset has been withdrawn.
    /// @param datasetId The dataset's id.
    error DatasetWithdrawn(uint256 datasetId);
    /// @notice A source names a dataset or version that does not exist.
    /// @param datasetId The source's dataset id.
    /// @param version The source's version.
    error SourceUnknown(uint256 datasetId, uint24 version);
    /// @notice The sources are not strictly ascending.
    /// @param index The position of the first source that is not greater than the one before it.
    error SourcesNotAscending(uint256 index);
    /// @notice There are more sources than MAX_SOURCES.
    /// @param given The number of sources in the message.
    /// @param maximum MAX_SOURCES.
    error TooManySources(uint256 given, uint256 maximum);
    /// @notice The content root is zero.
    error ContentRootZero();
    /// @notice The dataset already has the highest version number possible.
    /// @param datasetId The dataset's id.
    error VersionsExhausted(uint256 datasetId);

    /// @notice Registers a dataset with version 1 and gives its title to `message.owner`.
    /// @dev Mints without the ERC-721 receiver callback. Emits ERC-721's Transfer, then Registered.
    /// @param message The registration.
    /// @param signature Empty if the caller is the owner; otherwise the owner's EIP-712 signature.
    /// @return datasetId The new dataset's id, `uint256(keccak256(abi.encode(owner, contentRoot, salt)))`.
    function register(Registration calldata message, bytes calldata signature) external returns (uint256 datasetId);

    /// @notice Adds the next version to a dataset.
    /// @param message The revision.
    /// @param signature Empty if the caller is the owner or one of the owner's ERC-721 operators; otherwise the owner's
    /// EIP-712 signature.
    /// @return version The number of the new version.
    function revise(Revision calldata message, bytes calldata signature) external returns (uint24 version);

    /// @notice Transfers the title. Grants remain in force until the new owner revokes them.
    /// @dev Warning: there is no ERC-721 receiver callback. A contract that cannot handle ERC-721 tokens keeps the title
    /// permanently.
    /// @param message The transfer.
    /// @param signature Empty if the caller is the owner or one of the owner's ERC-721 operators; otherwise the owner's
    /// EIP-712 signature.
    function transfer(TitleTransfer calldata message, bytes calldata signature) external;

    /// @notice Withdraws a dataset permanently: versions and grants can no longer be added. Its history is kept.
    /// @dev The title can still be transferred, and other datasets can still name the dataset's versions as sources.
    /// @param message The withdrawal.
    /// @param signature Empty if the caller is the owner or one of the owner's ERC-721 operators; otherwise the owner's
    /// EIP-712 signature.
    function withdraw(Withdrawal calldata message, bytes calldata signature) external;

    /// @notice Returns a dataset's head.
    /// @param datasetId The dataset's id.
    /// @return head The head; zero if the dataset does not exist.
    function headOf(uint256 datasetId) external view returns (bytes32 head);

    /// @notice Returns the number of a dataset's latest version.
    /// @param datasetId The dataset's id.
    /// @return version The version number; zero if the dataset does not exist.
    function versionOf(uint256 datasetId) external view returns (uint24 version);

    /// @notice Returns whether a dataset exists and has been withdrawn.
    /// @param datasetId The dataset's id.
    /// @return withdrawn True if it exists and has been withdrawn.
    function isWithdrawn(uint256 datasetId) external view returns (bool withdrawn);

    /// @notice Returns the id that a registration creates.
    /// @param owner The first owner.
    /// @param contentRoot The Merkle root of the manifest.
    /// @param salt The salt of the registration.
    /// @return datasetId `uint256(keccak256(abi.encode(owner, contentRoot, salt)))`.
    function datasetIdOf(address owner, bytes32 contentRoot, bytes32 salt) external pure returns (uint256 datasetId);

    /// @notice Returns the owner and the head of a dataset in one call.
    /// @param datasetId The dataset's id.
    /// @return owner The owner; zero if the dataset does not exist.
    /// @return head The head; zero if the dataset does not exist.
    function titleOf(uint256 datasetId) external view returns (address owner, bytes32 head);

    /// @notice Returns the EIP-712 digest that the owner signs for this registration.
    /// @param message The registration.
    /// @return digest The digest.
    function registrationDigest(Registration calldata message) external view returns (bytes32 digest);

    /// @notice Returns the EIP-712 digest that the owner signs for this revision.
    /// @param message The revision.
    /// @return digest The digest.
    function revisionDigest(Revision calldata message) external view returns (bytes32 digest);

    /// @notice Returns the EIP-712 digest that the owner signs for this transfer.
    /// @param message The transfer.
    /// @return digest The digest.
    function titleTransferDigest(TitleTransfer calldata message) external view returns (bytes32 digest);

    /// @notice Returns the EIP-712 digest that the owner signs for this withdrawal.
    /// @param message The withdrawal.
    /// @return digest The digest.
    function withdrawalDigest(Withdrawal calldata message) external view returns (bytes32 digest);

    /// @notice Returns the longest uri allowed.
    /// @return Length in bytes.
    function MAX_URI_BYTES() external view returns (uint256);

    /// @notice Returns the longest withdrawal reason allowed.
    /// @return Length in bytes.
    function MAX_REASON_BYTES() external view returns (uint256);

    /// @notice Returns the largest number of sources allowed per version.
    /// @return The number of sources.
    function MAX_SOURCES() external view returns (uint256);
}
