// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../datasets/IDatasetRegistry.sol";
import {ISignedMessages} from "../shared/ISignedMessages.sol";

/// @title Who may do what with a dataset, from when until when, under which terms
/// @notice Only a dataset's owner or an ERC-721 operator of theirs grants and revokes. A grant survives a transfer of
/// the title; the new owner may revoke it.
///
/// There is one grant for each (dataset, grantee), and one storage slot for it. A grant or a revocation names the epoch
/// it follows (the number of grants and revocations so far for this pair), a request the number of requests so far: so
/// each message is effective at most once, and each change cancels what was signed for the state before it.
///
/// The contract has no owner, no administrator and no upgrade. It holds no ether.
interface IAccessGrants is ISignedMessages {
    /// @notice The message by which somebody asks for access.
    /// @param datasetId The dataset.
    /// @param grantee Who asks, and who signs or sends.
    /// @param rights The rights asked for, one bit each; not zero.
    /// @param expiresAt Until when, in Unix seconds, UTC.
    /// @param purpose What for, in the requester's words; at most MAX_PURPOSE_BYTES bytes.
    /// @param requests The number of requests this one follows for the pair.
    /// @param deadline Unix time in seconds, UTC, after which the message has no effect.
    struct AccessRequest {
        uint256 datasetId;
        address grantee;
        uint32 rights;
        uint48 expiresAt;
        string purpose;
        uint32 requests;
        uint64 deadline;
    }

    /// @notice The message that grants access, in place of any earlier grant to the same grantee.
    /// @param datasetId The dataset.
    /// @param grantee Who may; not zero.
    /// @param rights What they may do, one bit a right; not zero.
    /// @param startsAt From when, in Unix seconds, UTC; a time gone by means from now on.
    /// @param expiresAt Until when (exclusive), in Unix seconds, UTC; later than the start and than now.
    /// @param termsHash SHA-256 of the terms of use, or zero.
    /// @param epoch The epoch this message follows.
    /// @param deadline Unix time in seconds, UTC, after which the message has no effect.
    struct AccessGrant {
        uint256 datasetId;
        address grantee;
        uint32 rights;
        uint48 startsAt;
        uint48 expiresAt;
        bytes32 termsHash;
        uint32 epoch;
        uint64 deadline;
    }

    /// @notice The message that ends a grant now.
    /// @param datasetId The dataset.
    /// @param grantee Whose grant ends.
    /// @param epoch The epoch this message follows.
    /// @param deadline Unix time in seconds, UTC, after which the message has no effect.
    struct AccessRevocation {
        uint256 datasetId;
        address grantee;
        uint32 epoch;
        uint64 deadline;
    }

    /// @notice Somebody asked for access.
    event AccessRequested(
        uint256 indexed datasetId, address indexed grantee, uint32 rights, uint48 expiresAt, uint32 requests, string purpose
    );

    /// @notice Access was granted; `startsAt` is never before the block's own time. `epoch` counts this grant.
    event AccessGranted(
        uint256 indexed datasetId,
        address indexed grantee,
        uint32 rights,
        uint48 startsAt,
        uint48 expiresAt,
        bytes32 termsHash,
        uint32 epoch
    );

    /// @notice Access was revoked, at the block's time. `epoch` counts this revocation.
    event AccessRevoked(uint256 indexed datasetId, address indexed grantee, uint32 epoch);

    /// @notice No dataset has this id.
    error DatasetUnknown(uint256 datasetId);
    /// @notice The dataset has been withdrawn.
    error DatasetWithdrawn(uint256 datasetId);
    /// @notice The grantee is the zero address.
    error GranteeZero();
    /// @notice No right is named.
    error RightsEmpty();
    /// @notice The grant would end before it starts, or has ended already.
    error TermEmpty(uint48 startsAt, uint48 expiresAt);
    /// @notice The message follows another epoch than the pair's present one.
    error EpochMismatch(uint256 datasetId, address grantee, uint32 present, uint32 given);
    /// @notice The request follows another number of requests than the pair's present one.
    error RequestsMismatch(uint256 datasetId, address grantee, uint32 present, uint32 given);
    /// @notice There is no grant that could be revoked: none was given, or it has been revoked.
    error NothingToRevoke(uint256 datasetId, address grantee);

    /// @notice Asks for access to a dataset. Changes no right.
    /// @dev Refused where a grant would be: for a withdrawn dataset, for no right, for a time that has gone by.
    /// @param message The request.
    /// @param signature Empty if the requester is the caller, else the requester's EIP-712 signature.
    function requestAccess(AccessRequest calldata message, bytes calldata signature) external;

    /// @notice Grants access, in place of any earlier grant to the same grantee.
    /// @param message The grant.
    /// @param signature Empty if the caller is the owner or an operator of theirs, else the owner's EIP-712 signature.
    function grant(AccessGrant calldata message, bytes calldata signature) external;

    /// @notice Ends a grant at the block's time. That it was given, and held until then, stays on record.
    /// @dev Also possible where the dataset is withdrawn. A grant that has expired may be revoked: that changes no access.
    /// @param message The revocation.
    /// @param signature Empty if the caller is the owner or an operator of theirs, else the owner's EIP-712 signature.
    function revoke(AccessRevocation calldata message, bytes calldata signature) external;

    /// @notice Whether the latest grant of the pair holds at a time: it has started, not expired and not been revoked by then.
    /// @dev Knows the pair's latest grant only; earlier ones are in the events.
    /// @param datasetId The dataset.
    /// @param grantee The grantee.
    /// @param time Unix seconds, UTC.
    /// @return allowed Whether access holds at `time`.
    /// @return rights The rights of the latest grant, one bit each; zero if there was none.
    /// @return startsAt When the latest grant starts.
    /// @return expiresAt When it ends or ended; the time of revocation where it was revoked before its end.
    function accessOf(uint256 datasetId, address grantee, uint256 time)
        external
        view
        returns (bool allowed, uint32 rights, uint48 startsAt, uint48 expiresAt);

    /// @notice The counters that the pair's next messages must name.
    /// @param datasetId The dataset.
    /// @param grantee The grantee.
    /// @return epoch The number of grants and revocations so far.
    /// @return requests The number of requests so far.
    function countersOf(uint256 datasetId, address grantee) external view returns (uint32 epoch, uint32 requests);

    /// @notice The registry whose titles decide who may grant here.
    function REGISTRY() external view returns (IDatasetRegistry registry);

    /// @notice The EIP-712 digest that the requester signs for this request.
    /// @param message The request.
    function accessRequestDigest(AccessRequest calldata message) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest that the owner signs for this grant.
    /// @param message The grant.
    function accessGrantDigest(AccessGrant calldata message) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest that the owner signs for this revocation.
    /// @param message The revocation.
    function accessRevocationDigest(AccessRevocation calldata message) external view returns (bytes32 digest);

    /// @notice The longest purpose, in bytes.
    function MAX_PURPOSE_BYTES() external view returns (uint256);
}
