// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What every contract that acts on signed messages refuses in the same words
/// @notice An action takes a message and a signature. With an empty signature the caller acts by sending; otherwise the
/// signature is an EIP-712 signature over the message (65-byte ECDSA with a low s, or ERC-1271 where the signer has
/// code), and anybody may send it.
interface ISignedMessages {
    /// @notice The message's deadline has passed.
    error DeadlinePassed(uint64 deadline, uint256 blockTimestamp);
    /// @notice Neither the caller nor the signature is the one that this action needs.
    error NotAuthorised(address needed, address caller);
    /// @notice The signature is not a valid EIP-712 signature of this message by `signer`.
    error SignatureNotBySigner(address signer, bytes32 digest);
    /// @notice A string is longer than its cap.
    error StringTooLong(uint256 givenBytes, uint256 maximumBytes);

    /// @notice The EIP-712 domain separator of this contract on this chain.
    function domainSeparator() external view returns (bytes32 separator);
}
