// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessGrants} from "./IAccessGrants.sol";

/// @title EIP-712 struct hashes of the messages of AccessGrants
library AccessMessages {
    bytes32 private constant ACCESS_REQUEST_TYPE = keccak256(
        "AccessRequest(uint256 datasetId,address grantee,uint32 rights,uint48 expiresAt,string purpose,uint32 requests,uint64 deadline)"
    );

    bytes32 private constant ACCESS_GRANT_TYPE = keccak256(
        "AccessGrant(uint256 datasetId,address grantee,uint32 rights,uint48 startsAt,uint48 expiresAt,bytes32 termsHash,uint32 epoch,uint64 deadline)"
    );

    bytes32 private constant ACCESS_REVOCATION_TYPE =
        keccak256("AccessRevocation(uint256 datasetId,address grantee,uint32 epoch,uint64 deadline)");

    /// @dev Returns the struct hash of a request.
    function hash(IAccessGrants.AccessRequest calldata message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ACCESS_REQUEST_TYPE,
                message.datasetId,
                message.grantee,
                message.rights,
                message.expiresAt,
                keccak256(bytes(message.purpose)),
                message.requests,
                message.deadline
            )
        );
    }

    /// @dev Returns the struct hash of a grant.
    function hash(IAccessGrants.AccessGrant calldata message) internal pure returns (bytes32) {
        // Every member is a single word, so the ABI encoding of the struct is its EIP-712 encoding.
        return keccak256(abi.encode(ACCESS_GRANT_TYPE, message));
    }

    /// @dev Returns the struct hash of a revocation.
    function hash(IAccessGrants.AccessRevocation calldata message) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCESS_REVOCATION_TYPE, message));
    }
}
