// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignedMessages} from "../../../contracts/shared/SignedMessages.sol";

/// @title A board of notices: a room of the tests alone
contract Notices is SignedMessages {
    struct Notice {
        address author;
        bytes32 noticeId;
        string text;
        uint64 deadline;
    }

    error NoticeExists(bytes32 noticeId);

    event Noticed(bytes32 indexed noticeId, address indexed author, string text);

    mapping(bytes32 noticeId => bool) private _isPosted;

    constructor() EIP712("Notices", "1") {}

    function post(Notice calldata message, bytes calldata signature) external until(message.deadline) {
        if (_isPosted[message.noticeId]) revert NoticeExists(message.noticeId);
        if (signature.length == 0) _requireCaller(message.author);
        else _requireSignature(message.author, _hash(message), signature);
        _requireAtMost(256, message.text);
        _isPosted[message.noticeId] = true;
        emit Noticed(message.noticeId, message.author, message.text);
    }

    function _hash(Notice calldata message) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("Notice(address author,bytes32 noticeId,string text,uint64 deadline)"),
                message.author,
                message.noticeId,
                keccak256(bytes(message.text)),
                message.deadline
            )
        );
    }
}
