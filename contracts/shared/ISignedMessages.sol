// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors and EIP-712 domain shared by all contracts that act on signed messages
/// @notice Every action takes a message and a signature. If the signature is empty, the caller is the one who acts.
/// Otherwise the signature is an EIP-712 signature of the message (65-byte ECDSA with a low s, or ERC-1271 if the signer
/// has code), and any account may send the transaction.
interface ISignedMessages {
    /// @notice The message's deadline has passed.
    /// @param deadline The message's deadline, in Unix seconds, UTC.
    /// @param blockTimestamp The block's time, in Unix seconds, UTC.
    error DeadlinePassed(uint64 deadline, uint256 blockTimestamp);
    /// @notice The caller may not perform this action, and no signature was given.
    /// @param needed The account that may perform it.
    /// @param caller The account that called.
    error NotAuthorised(address needed, address caller);
    /// @notice The signature is not a valid EIP-712 signature of this message by `signer`.
    /// @param signer The account whose signature is required.
    /// @param digest The EIP-712 digest that had to be signed.
    error SignatureNotBySigner(address signer, bytes32 digest);
    /// @notice A string is longer than allowed.
    /// @param givenBytes The string's length in bytes.
    /// @param maximumBytes The longest length allowed, in bytes.
    error StringTooLong(uint256 givenBytes, uint256 maximumBytes);

    /// @notice Returns the EIP-712 domain separator of this contract on this chain.
    /// @return separator The domain separator.
    function domainSeparator() external view returns (bytes32 separator);
}
