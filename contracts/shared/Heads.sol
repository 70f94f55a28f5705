// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../datasets/IDatasetRegistry.sol";

/// @title Computes the head of a dataset: a hash chain over its history, with its version and status
/// @dev IDatasetRegistry defines the layout of a head and the steps of the chain.
library Heads {
    bytes32 private constant REGISTRATION_STEP = keccak256("tdr.registration");
    bytes32 private constant REVISION_STEP = keccak256("tdr.revision");
    bytes32 private constant TRANSFER_STEP = keccak256("tdr.transfer");
    bytes32 private constant WITHDRAWAL_STEP = keccak256("tdr.withdrawal");

    uint256 private constant STATE_BITS = 32;
    uint256 private constant STATUS_BITS = 8;
    uint256 private constant STATE_MASK = (1 << STATE_BITS) - 1;
    uint256 private constant FIRST_VERSION = 1 << STATUS_BITS;
    uint256 private constant WITHDRAWN = 1;

    /// @dev Returns the head of a dataset after its registration.
    function first(
        uint256 datasetId,
        address owner,
        bytes32 contentRoot,
        bytes32 metadataHash,
        string calldata uri,
        IDatasetRegistry.Source[] calldata sources
    ) internal pure returns (bytes32) {
        bytes32 step = keccak256(
            abi.encode(
                REGISTRATION_STEP,
                datasetId,
                owner,
                contentRoot,
                metadataHash,
                keccak256(bytes(uri)),
                keccak256(abi.encode(sources))
            )
        );
        return _link(0, step, FIRST_VERSION);
    }

    /// @dev Returns the head after a revision. The caller must check that the version number can still grow.
    function revised(
        bytes32 head,
        bytes32 contentRoot,
        bytes32 metadataHash,
        string calldata uri,
        IDatasetRegistry.Source[] calldata sources
    ) internal pure returns (bytes32) {
        bytes32 step = keccak256(
            abi.encode(
                REVISION_STEP, contentRoot, metadataHash, keccak256(bytes(uri)), keccak256(abi.encode(sources))
            )
        );
        return _link(head, step, _state(head) + (1 << STATUS_BITS));
    }

    /// @dev Returns the head after a transfer of the title.
    function transferred(bytes32 head, address from, address to) internal pure returns (bytes32) {
        return _link(head, keccak256(abi.encode(TRANSFER_STEP, from, to)), _state(head));
    }

    /// @dev Returns the head after a withdrawal.
    function withdrawn(bytes32 head, string calldata reason) internal pure returns (bytes32) {
        return _link(head, keccak256(abi.encode(WITHDRAWAL_STEP, keccak256(bytes(reason)))), _state(head) | WITHDRAWN);
    }

    /// @dev Returns the number of the latest version; zero for an empty head.
    function version(bytes32 head) internal pure returns (uint24) {
        return uint24(uint256(head) >> STATUS_BITS);
    }

    /// @dev Returns whether the dataset has been withdrawn.
    function isWithdrawn(bytes32 head) internal pure returns (bool) {
        return uint8(uint256(head)) == WITHDRAWN;
    }

    /// @dev Returns the head's last four bytes: version and status.
    function _state(bytes32 head) private pure returns (uint256) {
        return uint256(head) & STATE_MASK;
    }

    /// @dev Returns the next head: the hash of the previous head and the step, with the state in its last four bytes.
    function _link(bytes32 previous, bytes32 step, uint256 state) private pure returns (bytes32) {
        return bytes32((uint256(keccak256(abi.encode(previous, step))) & ~STATE_MASK) | state);
    }
}
