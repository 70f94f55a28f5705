// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ISignedMessages} from "./ISignedMessages.sol";

/// @title Checks of deadlines, string lengths and signatures, shared by all contracts
/// @dev The inheriting contract decides whose signature a message needs.
abstract contract SignedMessages is ISignedMessages, EIP712 {
    /// @dev Requires that the deadline has not passed. A block at exactly the deadline still accepts the message.
    modifier until(uint64 deadline) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        _;
    }

    /// @inheritdoc ISignedMessages
    function domainSeparator() external view returns (bytes32 separator) {
        return _domainSeparatorV4();
    }

    /// @dev Requires that the caller is `needed`.
    function _requireCaller(address needed) internal view {
        if (msg.sender != needed) revert NotAuthorised(needed, msg.sender);
    }

    /// @dev Requires a valid signature by `signer`: ECDSA if the signer has no code, otherwise ERC-1271.
    function _requireSignature(address signer, bytes32 structHash, bytes calldata signature) internal view {
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNow(signer, digest, signature)) {
            revert SignatureNotBySigner(signer, digest);
        }
    }

    /// @dev Requires that a string is at most `maximumBytes` bytes long.
    function _requireAtMost(uint256 maximumBytes, string calldata text) internal pure {
        if (bytes(text).length > maximumBytes) revert StringTooLong(bytes(text).length, maximumBytes);
    }
}
