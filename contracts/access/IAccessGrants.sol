// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../datasets/IDatasetRegistry.sol";
import {ISignedMessages} from "../shared/ISignedMessages.sol";

/// @title Grants of access to datasets: which rights a grantee has, for which period, under which terms
/// @notice Only the owner of a dataset or one of the owner's ERC-721 operators can grant and revoke access. A grant
/// survives a transfer of the title; the new owner can revoke it.
///
/// Each (dataset, grantee) has at most one grant, kept in one storage slot. A grant or a revocation names the epoch it
/// follows: the number of grants and revocations so far for this (dataset, grantee). A request names the number of
/// requests so far. Therefore each message takes effect at most once, and each change invalidates the messages that
/// were signed for the previous state.
///
/// The contract has no owner and no administrator, cannot be upgraded, and holds no ether.
interface IAccessGrants is ISignedMessages {
    /// @notice A request for access to a dataset.
    /// @param datasetId The dataset's id.
    /// @param grantee The account that asks for access, and that signs or sends the message.
    /// @param rights The requested rights, one bit each; not zero.
    /// @param expiresAt The requested end of access (exclusive), in Unix seconds, UTC.
    /// @param purpose The intended use, in the requester's words; at most MAX_PURPOSE_BYTES bytes.
    /// @param requests The number of earlier requests for this (dataset, grantee).
    /// @param deadline Last moment at which the message is accepted, in Unix seconds, UTC.
    struct AccessRequest {
        uint256 datasetId;
        address grantee;
        uint32 rights;
        uint48 expiresAt;
        string purpose;
        uint32 requests;
        uint64 deadline;
    }

    /// @notice A grant of access. It replaces any earlier grant of the same dataset to the same grantee.
    /// @param datasetId The dataset's id.
    /// @param grantee The account that receives access; not zero.
    /// @param rights The granted rights, one bit each; not zero.
    /// @param startsAt The start of access, in Unix seconds, UTC; a time in the past means the block's time.
    /// @param expiresAt The end of access (exclusive), in Unix seconds, UTC; later than the start and the block's time.
    /// @param termsHash SHA-256 of the terms of use, or zero.
    /// @param epoch The number of earlier grants and revocations for this (dataset, grantee).
    /// @param deadline Last moment at which the message is accepted, in Unix seconds, UTC.
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

    /// @notice A revocation, which ends a grant at the block's time.
    /// @param datasetId The dataset's id.
    /// @param grantee The account whose access ends.
    /// @param epoch The number of earlier grants and revocations for this (dataset, grantee).
    /// @param deadline Last moment at which the message is accepted, in Unix seconds, UTC.
    struct AccessRevocation {
        uint256 datasetId;
        address grantee;
        uint32 epoch;
        uint64 deadline;
    }

    /// @notice Access was requested.
    /// @param datasetId The dataset's id.
    /// @param grantee The account that asked for access.
    /// @param rights The requested rights, one bit each.
    /// @param expiresAt The requested end of access (exclusive), in Unix seconds, UTC.
    /// @param requests The number of requests for this (dataset, grantee), including this one.
    /// @param purpose The intended use, in the requester's words.
    event AccessRequested(
        uint256 indexed datasetId, address indexed grantee, uint32 rights, uint48 expiresAt, uint32 requests, string purpose
    );

    /// @notice Access was granted.
    /// @param datasetId The dataset's id.
    /// @param grantee The account that received access.
    /// @param rights The granted rights, one bit each.
    /// @param startsAt The start of access, in Unix seconds, UTC; never before the block's time.
    /// @param expiresAt The end of access (exclusive), in Unix seconds, UTC.
    /// @param termsHash SHA-256 of the terms of use, or zero.
    /// @param epoch The number of grants and revocations for this (dataset, grantee), including this one.
    event AccessGranted(
        uint256 indexed datasetId,
        address indexed grantee,
        uint32 rights,
        uint48 startsAt,
        uint48 expiresAt,
        bytes32 termsHash,
        uint32 epoch
    );

    /// @notice Access was revoked at the block's time.
    /// @param datasetId The dataset's id.
    /// @param grantee The account whose access ended.
    /// @param epoch The number of grants and revocations for this (dataset, grantee), including this one.
    event AccessRevoked(uint256 indexed datasetId, address indexed grantee, uint32 epoch);

    /// @notice No dataset has this id.
    /// @param datasetId The id given.
    error DatasetUnknown(uint256 datasetId);
    /// @notice The dataset has been withdrawn.
    /// @param datasetId The dataset's id.
    error DatasetWithdrawn(uint256 datasetId);
    /// @notice The grantee is the zero address.
    error GranteeZero();
    /// @notice The rights are zero.
    error RightsEmpty();
    /// @notice Access would end before or when it starts.
    /// @param startsAt The start, in Unix seconds, UTC.
    /// @param expiresAt The end, in Unix seconds, UTC.
    error TermEmpty(uint48 startsAt, uint48 expiresAt);
    /// @notice The message names an epoch other than the current one.
    /// @param datasetId The dataset's id.
    /// @param grantee The grantee.
    /// @param present The current epoch.
    /// @param given The epoch that the message names.
    error EpochMismatch(uint256 datasetId, address grantee, uint32 present, uint32 given);
    /// @notice The request names a number of requests other than the current one.
    /// @param datasetId The dataset's id.
    /// @param grantee The account that asks for access.
    /// @param present The current number of requests.
    /// @param given The number that the request names.
    error RequestsMismatch(uint256 datasetId, address grantee, uint32 present, uint32 given);
    /// @notice There is nothing to revoke: no access was granted, or it has already been revoked.
    /// @param datasetId The dataset's id.
    /// @param grantee The grantee.
    error NothingToRevoke(uint256 datasetId, address grantee);

    /// @notice Asks for access to a dataset. Does not change any rights.
    /// @dev Reverts if the dataset is unknown or withdrawn, if the rights are zero, or if `expiresAt` is not in the future.
    /// @param message The request.
    /// @param signature Empty if the caller is the grantee; otherwise the grantee's EIP-712 signature.
    function requestAccess(AccessRequest calldata message, bytes calldata signature) external;

    /// @notice Grants access, replacing any earlier grant of the same dataset to the same grantee.
    /// @param message The grant.
    /// @param signature Empty if the caller is the owner or one of the owner's ERC-721 operators; otherwise the owner's
    /// EIP-712 signature.
    function grant(AccessGrant calldata message, bytes calldata signature) external;

    /// @notice Ends a grant at the block's time. The record that it held until then remains.
    /// @dev Also possible for a withdrawn dataset, and for an expired grant, where it does not change access.
    /// @param message The revocation.
    /// @param signature Empty if the caller is the owner or one of the owner's ERC-721 operators; otherwise the owner's
    /// EIP-712 signature.
    function revoke(AccessRevocation calldata message, bytes calldata signature) external;

    /// @notice Returns whether the latest grant gives access at a time: it has started, and has neither expired nor been
    /// revoked by then.
    /// @dev Considers the latest grant only; earlier grants are found in the events.
    /// @param datasetId The dataset's id.
    /// @param grantee The grantee.
    /// @param time The time in question, in Unix seconds, UTC.
    /// @return allowed Whether the grantee has access at `time`.
    /// @return rights The rights of the latest grant, one bit each; zero if access was never granted.
    /// @return startsAt The start of the latest grant, in Unix seconds, UTC.
    /// @return expiresAt The end of the latest grant (exclusive), in Unix seconds, UTC; the time of its revocation if it
    /// was revoked before its end.
    function accessOf(uint256 datasetId, address grantee, uint256 time)
        external
        view
        returns (bool allowed, uint32 rights, uint48 startsAt, uint48 expiresAt);

    /// @notice Returns the counters that the next messages for a (dataset, grantee) must name.
    /// @param datasetId The dataset's id.
    /// @param grantee The grantee.
    /// @return epoch The number of grants and revocations so far.
    /// @return requests The number of requests so far.
    function countersOf(uint256 datasetId, address grantee) external view returns (uint32 epoch, uint32 requests);

    /// @notice Returns the registry whose titles decide who may grant access.
    /// @return registry The dataset registry.
    function REGISTRY() external view returns (IDatasetRegistry registry);

    /// @notice Returns the EIP-712 digest that the grantee signs for this request.
    /// @param message The request.
    /// @return digest The digest.
    function accessRequestDigest(AccessRequest calldata message) external view returns (bytes32 digest);

    /// @notice Returns the EIP-712 digest that the owner signs for this grant.
    /// @param message The grant.
    /// @return digest The digest.
    function accessGrantDigest(AccessGrant calldata message) external view returns (bytes32 digest);

    /// @notice Returns the EIP-712 digest that the owner signs for this revocation.
    /// @param message The revocation.
    /// @return digest The digest.
    function accessRevocationDigest(AccessRevocation calldata message) external view returns (bytes32 digest);

    /// @notice Returns the longest purpose allowed.
    /// @return Length in bytes.
    function MAX_PURPOSE_BYTES() external view returns (uint256);
}
