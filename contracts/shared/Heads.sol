// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../datasets/IDatasetRegistry.sol";

/// @title The head of a dataset: a hash chain over its history, with its version and status
/// @dev IDatasetRegistry defines the layout and the steps.
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

    /// @dev The head of a dataset that has just come into being.
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

    /// @dev The head after a revision. The caller has checked that the version can still grow.
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

    /// @dev The head after the title passed on.
    function transferred(bytes32 head, address from, address to) internal pure returns (bytes32) {
        return _link(head, keccak256(abi.encode(TRANSFER_STEP, from, to)), _state(head));
    }

    /// @dev The head after the dataset was withdrawn.
    function withdrawn(bytes32 head, string calldata reason) internal pure returns (bytes32) {
        return _link(head, keccak256(abi.encode(WITHDRAWAL_STEP, keccak256(bytes(reason)))), _state(head) | WITHDRAWN);
    }

    /// @dev The number of the latest version; zero for no head.
    function version(bytes32 head) internal pure returns (uint24) {
        return uint24(uint256(head) >> STATUS_BITS);
    }

    /// @dev Whether the head says that the dataset was withdrawn.
    function isWithdrawn(bytes32 head) internal pure returns (bool) {
        return uint8(uint256(head)) == WITHDRAWN;
    }

    /// @dev Version and status, as they stand in the head's last four bytes.
    function _state(bytes32 head) private pure returns (uint256) {
        return uint256(head) & STATE_MASK;
    }

    function _link(bytes32 previous, bytes32 step, uint256 state) private pure returns (bytes32) {
        return bytes32((uint256(keccak256(abi.encode(previous, step))) & ~STATE_MASK) | state);
    }
}
