// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDatasetRegistry} from "./IDatasetRegistry.sol";

/// @title EIP-712 struct hashes of the messages of DatasetRegistry
library DatasetMessages {
    bytes32 private constant SOURCE_TYPE = keccak256("Source(uint256 datasetId,uint24 version)");

    bytes32 private constant REGISTRATION_TYPE = keccak256(
        "Registration(address owner,bytes32 contentRoot,bytes32 metadataHash,string uri,bytes32 salt,Source[] sources,uint64 deadline)"
        "Source(uint256 datasetId,uint24 version)"
    );

    bytes32 private constant REVISION_TYPE = keccak256(
        "Revision(uint256 datasetId,bytes32 head,bytes32 contentRoot,bytes32 metadataHash,string uri,Source[] sources,uint64 deadline)"
        "Source(uint256 datasetId,uint24 version)"
    );

    bytes32 private constant TITLE_TRANSFER_TYPE =
        keccak256("TitleTransfer(uint256 datasetId,bytes32 head,address to,uint64 deadline)");

    bytes32 private constant WITHDRAWAL_TYPE =
        keccak256("Withdrawal(uint256 datasetId,bytes32 head,string reason,uint64 deadline)");

    /// @dev Returns the struct hash of a registration.
    function hash(IDatasetRegistry.Registration calldata message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                REGISTRATION_TYPE,
                message.owner,
                message.contentRoot,
                message.metadataHash,
                keccak256(bytes(message.uri)),
                message.salt,
                _hash(message.sources),
                message.deadline
            )
        );
    }

    /// @dev Returns the struct hash of a revision.
    function hash(IDatasetRegistry.Revision calldata message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                REVISION_TYPE,
                message.datasetId,
                message.head,
                message.contentRoot,
                message.metadataHash,
                keccak256(bytes(message.uri)),
                _hash(message.sources),
                message.deadline
            )
        );
    }

    /// @dev Returns the struct hash of a transfer.
    function hash(IDatasetRegistry.TitleTransfer calldata message) internal pure returns (bytes32) {
        // Every member is a single word, so the ABI encoding of the struct is its EIP-712 encoding.
        return keccak256(abi.encode(TITLE_TRANSFER_TYPE, message));
    }

    /// @dev Returns the struct hash of a withdrawal.
    function hash(IDatasetRegistry.Withdrawal calldata message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                WITHDRAWAL_TYPE,
                message.datasetId,
                message.head,
                keccak256(bytes(message.reason)),
                message.deadline
            )
        );
    }

    /// @dev Returns the EIP-712 hash of an array of sources.
    function _hash(IDatasetRegistry.Source[] calldata sources) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](sources.length);
        for (uint256 i = 0; i < sources.length; ++i) {
            hashes[i] = keccak256(abi.encode(SOURCE_TYPE, sources[i].datasetId, sources[i].version));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
