// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AccessMessages} from "./AccessMessages.sol";
import {Heads} from "../shared/Heads.sol";
import {IAccessGrants} from "./IAccessGrants.sol";
import {IDatasetRegistry} from "../datasets/IDatasetRegistry.sol";
import {SignedMessages} from "../shared/SignedMessages.sol";

/// @title Grants of access to datasets: which rights a grantee has, for which period, under which terms
contract AccessGrants is IAccessGrants, SignedMessages {
    using AccessMessages for AccessRequest;
    using AccessMessages for AccessGrant;
    using AccessMessages for AccessRevocation;
    using Heads for bytes32;

    /// @dev The state of a (dataset, grantee) in one storage slot: the latest grant, and the counters that messages name.
    struct Pair {
        uint48 startsAt;
        uint48 expiresAt;
        uint32 rights;
        uint32 epoch;
        uint32 requests;
        bool revoked;
    }

    /// @inheritdoc IAccessGrants
    IDatasetRegistry public immutable REGISTRY;
    /// @inheritdoc IAccessGrants
    uint256 public constant MAX_PURPOSE_BYTES = 512;

    mapping(uint256 datasetId => mapping(address grantee => Pair)) private _pairs;

    constructor(IDatasetRegistry registry) EIP712("AccessGrants", "1") {
        REGISTRY = registry;
    }

    /// @inheritdoc IAccessGrants
    function requestAccess(AccessRequest calldata message, bytes calldata signature)
        external
        until(message.deadline)
    {
        Pair storage pair = _pairs[message.datasetId][message.grantee];
        uint32 requests = pair.requests;
        if (message.requests != requests) {
            revert RequestsMismatch(message.datasetId, message.grantee, requests, message.requests);
        }
        if (signature.length == 0) _requireCaller(message.grantee);
        else _requireSignature(message.grantee, message.hash(), signature);
        _requireActive(message.datasetId);
        if (message.rights == 0) revert RightsEmpty();
        if (message.expiresAt <= block.timestamp) revert TermEmpty(uint48(block.timestamp), message.expiresAt);
        _requireAtMost(MAX_PURPOSE_BYTES, message.purpose);

        pair.requests = ++requests;
        emit AccessRequested(
            message.datasetId, message.grantee, message.rights, message.expiresAt, requests, message.purpose
        );
    }

    /// @inheritdoc IAccessGrants
    function grant(AccessGrant calldata message, bytes calldata signature) external until(message.deadline) {
        Pair storage pair = _requireEpoch(message.datasetId, message.grantee, message.epoch);
        address owner = _requireActive(message.datasetId);
        if (signature.length == 0) _requireOwnerOrOperator(owner);
        else _requireSignature(owner, message.hash(), signature);
        if (message.grantee == address(0)) revert GranteeZero();
        if (message.rights == 0) revert RightsEmpty();
        uint48 startsAt = message.startsAt < block.timestamp ? uint48(block.timestamp) : message.startsAt;
        if (message.expiresAt <= startsAt) revert TermEmpty(startsAt, message.expiresAt);

        uint32 epoch = message.epoch + 1;
        pair.startsAt = startsAt;
        pair.expiresAt = message.expiresAt;
        pair.rights = message.rights;
        pair.epoch = epoch;
        pair.revoked = false;
        emit AccessGranted(
            message.datasetId, message.grantee, message.rights, startsAt, message.expiresAt, message.termsHash, epoch
        );
    }

    /// @inheritdoc IAccessGrants
    function revoke(AccessRevocation calldata message, bytes calldata signature) external until(message.deadline) {
        Pair storage pair = _requireEpoch(message.datasetId, message.grantee, message.epoch);
        if (pair.epoch == 0 || pair.revoked) revert NothingToRevoke(message.datasetId, message.grantee);
        address owner = REGISTRY.ownerOf(message.datasetId);
        if (signature.length == 0) _requireOwnerOrOperator(owner);
        else _requireSignature(owner, message.hash(), signature);

        uint32 epoch = message.epoch + 1;
        if (pair.expiresAt > block.timestamp) pair.expiresAt = uint48(block.timestamp);
        pair.epoch = epoch;
        pair.revoked = true;
        emit AccessRevoked(message.datasetId, message.grantee, epoch);
    }

    /// @inheritdoc IAccessGrants
    function accessOf(uint256 datasetId, address grantee, uint256 time)
        external
        view
        returns (bool allowed, uint32 rights, uint48 startsAt, uint48 expiresAt)
    {
        Pair memory pair = _pairs[datasetId][grantee];
        return (pair.startsAt <= time && time < pair.expiresAt, pair.rights, pair.startsAt, pair.expiresAt);
    }

    /// @inheritdoc IAccessGrants
    function countersOf(uint256 datasetId, address grantee) external view returns (uint32 epoch, uint32 requests) {
        Pair memory pair = _pairs[datasetId][grantee];
        return (pair.epoch, pair.requests);
    }

    /// @inheritdoc IAccessGrants
    function accessRequestDigest(AccessRequest calldata message) external view returns (bytes32 digest) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IAccessGrants
    function accessGrantDigest(AccessGrant calldata message) external view returns (bytes32 digest) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IAccessGrants
    function accessRevocationDigest(AccessRevocation calldata message) external view returns (bytes32 digest) {
        return _hashTypedDataV4(message.hash());
    }

    /// @dev Requires that `given` is the current epoch of the (dataset, grantee).
    function _requireEpoch(uint256 datasetId, address grantee, uint32 given) private view returns (Pair storage pair) {
        pair = _pairs[datasetId][grantee];
        uint32 present = pair.epoch;
        if (present != given) revert EpochMismatch(datasetId, grantee, present, given);
    }

    /// @dev Requires that the dataset exists and has not been withdrawn.
    function _requireActive(uint256 datasetId) private view returns (address owner) {
        bytes32 head;
        (owner, head) = REGISTRY.titleOf(datasetId);
        if (head == 0) revert DatasetUnknown(datasetId);
        if (head.isWithdrawn()) revert DatasetWithdrawn(datasetId);
    }

    /// @dev Requires that the caller is the owner or one of the owner's ERC-721 operators.
    function _requireOwnerOrOperator(address owner) private view {
        if (msg.sender != owner && !REGISTRY.isApprovedForAll(owner, msg.sender)) {
            revert NotAuthorised(owner, msg.sender);
        }
    }
}
