// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ISignedMessages} from "./ISignedMessages.sol";

/// @title Deadlines, caps and signatures, checked in one way by every contract
/// @dev What a message is about, and so whose signature it needs, is the inheriting contract's to know.
abstract contract SignedMessages is ISignedMessages, EIP712 {
    /// @dev A message still has its effect in a block whose time is its deadline.
    modifier until(uint64 deadline) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        _;
    }

    /// @inheritdoc ISignedMessages
    function domainSeparator() external view returns (bytes32 separator) {
        return _domainSeparatorV4();
    }

    /// @dev Requires that `needed` itself is the caller.
    function _requireCaller(address needed) internal view {
        if (msg.sender != needed) revert NotAuthorised(needed, msg.sender);
    }

    /// @dev Requires a signature by `signer`: ECDSA if it has no code, else ERC-1271.
    function _requireSignature(address signer, bytes32 structHash, bytes calldata signature) internal view {
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNow(signer, digest, signature)) {
            revert SignatureNotBySigner(signer, digest);
        }
    }

    /// @dev Requires that a string is not longer than its cap.
    function _requireAtMost(uint256 maximumBytes, string calldata text) internal pure {
        if (bytes(text).length > maximumBytes) revert StringTooLong(bytes(text).length, maximumBytes);
    }
}
