// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";

/// @dev An organisation's wallet as many use it: one key signs for it and sends through it.
contract OneKeyWallet is IERC1271 {
    address private immutable KEY;

    constructor(address key) {
        KEY = key;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(digest, signature) == KEY ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    function send(address to, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == KEY, "not the key");
        (bool success, bytes memory result) = to.call(data);
        require(success, "the call failed");
        return result;
    }
}

/// @dev Says yes to everything, in the middle of trying to act again.
contract ReenteringWallet is IERC1271 {
    bytes private _data;

    function arm(bytes calldata data) external {
        _data = data;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        // A static call reaches here, so this can only be tried with another static call.
        (bool success,) = msg.sender.staticcall(_data);
        require(!success, "it changed state within a static call");
        return IERC1271.isValidSignature.selector;
    }
}

/// @dev Burns all the gas it gets.
contract BurningWallet {
    fallback() external {
        while (true) {}
    }
}

/// @dev Answers with a megabyte of zeros.
contract BombWallet {
    fallback() external {
        assembly ("memory-safe") {
            return(0, 1000000)
        }
    }
}

/// @dev Answers with something else than the magic value.
contract AnsweringWallet {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback() external {
        bytes memory answer = _answer;
        assembly ("memory-safe") {
            return(add(answer, 32), mload(answer))
        }
    }
}

/// @dev Receives titles as ERC-721 wants it, and calls back.
contract Receiver is IERC721Receiver {
    bytes4 private immutable ANSWER;
    address public lastOperator;
    address public lastFrom;
    uint256 public lastId;
    bytes public lastData;

    constructor(bytes4 answer) {
        ANSWER = answer;
    }

    function onERC721Received(address operator, address from, uint256 id, bytes calldata data)
        external
        returns (bytes4)
    {
        (lastOperator, lastFrom, lastId, lastData) = (operator, from, id, data);
        return ANSWER;
    }
}

