// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DatasetMessages} from "./DatasetMessages.sol";
import {Heads} from "../shared/Heads.sol";
import {IDatasetRegistry} from "./IDatasetRegistry.sol";
import {SignedMessages} from "../shared/SignedMessages.sol";

/// @title Registry of datasets: titles, versions and histories, with one storage slot per dataset
contract DatasetRegistry is IDatasetRegistry, ERC721, SignedMessages {
    using DatasetMessages for Registration;
    using DatasetMessages for Revision;
    using DatasetMessages for TitleTransfer;
    using DatasetMessages for Withdrawal;
    using Heads for bytes32;

    /// @inheritdoc IDatasetRegistry
    uint256 public constant MAX_URI_BYTES = 512;
    /// @inheritdoc IDatasetRegistry
    uint256 public constant MAX_REASON_BYTES = 512;
    /// @inheritdoc IDatasetRegistry
    uint256 public constant MAX_SOURCES = 32;

    mapping(uint256 datasetId => bytes32 head) private _heads;

    constructor() ERC721("Trusted Data Registry", "DATASET") EIP712("DatasetRegistry", "1") {}

    /// @inheritdoc IDatasetRegistry
    function register(Registration calldata message, bytes calldata signature)
        external
        until(message.deadline)
        returns (uint256 datasetId)
    {
        (address owner, bytes32 contentRoot, bytes32 metadataHash) =
            (message.owner, message.contentRoot, message.metadataHash);
        (string calldata uri, Source[] calldata sources) = (message.uri, message.sources);
        datasetId = datasetIdOf(owner, contentRoot, message.salt);
        if (_heads[datasetId] != 0) revert DatasetExists(datasetId);
        if (signature.length == 0) _requireCaller(owner);
        else _requireSignature(owner, message.hash(), signature);
        _requireContent(contentRoot, uri, sources);

        _heads[datasetId] = Heads.first(datasetId, owner, contentRoot, metadataHash, uri, sources);
        _mint(owner, datasetId);
        emit Registered(datasetId, owner, contentRoot, metadataHash, message.salt, uri, sources);
    }

    /// @inheritdoc IDatasetRegistry
    function revise(Revision calldata message, bytes calldata signature)
        external
        until(message.deadline)
        returns (uint24 version)
    {
        bytes32 head = _requireHead(message.datasetId, message.head);
        if (head.isWithdrawn()) revert DatasetWithdrawn(message.datasetId);
        if (head.version() == type(uint24).max) revert VersionsExhausted(message.datasetId);
        address owner = _ownerOf(message.datasetId);
        if (signature.length == 0) _requireOwnerOrOperator(owner);
        else _requireSignature(owner, message.hash(), signature);
        (string calldata uri, Source[] calldata sources) = (message.uri, message.sources);
        _requireContent(message.contentRoot, uri, sources);

        head = head.revised(message.contentRoot, message.metadataHash, uri, sources);
        version = head.version();
        _heads[message.datasetId] = head;
        emit Revised(message.datasetId, version, message.contentRoot, message.metadataHash, uri, sources);
    }

    /// @inheritdoc IDatasetRegistry
    function transfer(TitleTransfer calldata message, bytes calldata signature) external until(message.deadline) {
        _requireHead(message.datasetId, message.head);
        address owner = _ownerOf(message.datasetId);
        if (signature.length == 0) _requireOwnerOrOperator(owner);
        else _requireSignature(owner, message.hash(), signature);

        _transfer(owner, message.to, message.datasetId);
    }

    /// @inheritdoc IDatasetRegistry
    function withdraw(Withdrawal calldata message, bytes calldata signature) external until(message.deadline) {
        bytes32 head = _requireHead(message.datasetId, message.head);
        if (head.isWithdrawn()) revert DatasetWithdrawn(message.datasetId);
        address owner = _ownerOf(message.datasetId);
        if (signature.length == 0) _requireOwnerOrOperator(owner);
        else _requireSignature(owner, message.hash(), signature);
        _requireAtMost(MAX_REASON_BYTES, message.reason);

        _heads[message.datasetId] = head.withdrawn(message.reason);
        emit Withdrawn(message.datasetId, message.reason);
    }

    /// @inheritdoc IDatasetRegistry
    function headOf(uint256 datasetId) external view returns (bytes32 head) {
        return _heads[datasetId];
    }

    /// @inheritdoc IDatasetRegistry
    function versionOf(uint256 datasetId) external view returns (uint24 version) {
        return _heads[datasetId].version();
    }

    /// @inheritdoc IDatasetRegistry
    function isWithdrawn(uint256 datasetId) external view returns (bool withdrawn) {
        return _heads[datasetId].isWithdrawn();
    }

    /// @inheritdoc IDatasetRegistry
    function titleOf(uint256 datasetId) external view returns (address owner, bytes32 head) {
        return (_ownerOf(datasetId), _heads[datasetId]);
    }

    /// @inheritdoc IDatasetRegistry
    function registrationDigest(Registration calldata message) external view returns (bytes32 digest) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IDatasetRegistry
    function revisionDigest(Revision calldata message) external view returns (bytes32 digest) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IDatasetRegistry
    function titleTransferDigest(TitleTransfer calldata message) external view returns (bytes32 digest) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IDatasetRegistry
    function withdrawalDigest(Withdrawal calldata message) external view returns (bytes32 digest) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IDatasetRegistry
    function datasetIdOf(address owner, bytes32 contentRoot, bytes32 salt) public pure returns (uint256 datasetId) {
        return uint256(keccak256(abi.encode(owner, contentRoot, salt)));
    }

    /// @dev Adds every transfer to the head. All transfers pass through here, those made with ERC-721's functions too.
    function _update(address to, uint256 datasetId, address auth) internal override returns (address from) {
        from = super._update(to, datasetId, auth);
        if (from != address(0)) _heads[datasetId] = _heads[datasetId].transferred(from, to);
    }

    /// @dev Requires that the dataset exists and that `given` is its current head.
    function _requireHead(uint256 datasetId, bytes32 given) private view returns (bytes32 head) {
        head = _heads[datasetId];
        if (head == 0) revert DatasetUnknown(datasetId);
        if (head != given) revert HeadMismatch(datasetId, head, given);
    }

    /// @dev Requires that the caller is the owner or one of the owner's ERC-721 operators.
    function _requireOwnerOrOperator(address owner) private view {
        if (msg.sender != owner && !isApprovedForAll(owner, msg.sender)) revert NotAuthorised(owner, msg.sender);
    }

    /// @dev Requires a nonzero content root, a uri and a number of sources within their limits, and sources that exist and
    /// are strictly ascending.
    function _requireContent(bytes32 contentRoot, string calldata uri, Source[] calldata sources) private view {
        if (contentRoot == 0) revert ContentRootZero();
        _requireAtMost(MAX_URI_BYTES, uri);
        if (sources.length > MAX_SOURCES) revert TooManySources(sources.length, MAX_SOURCES);
        for (uint256 i = 0; i < sources.length; ++i) {
            (uint256 id, uint24 version) = (sources[i].datasetId, sources[i].version);
            if (i > 0 && !_precedes(sources[i - 1], sources[i])) revert SourcesNotAscending(i);
            if (version == 0 || version > _heads[id].version()) revert SourceUnknown(id, version);
        }
    }

    /// @dev Returns whether `a` comes before `b` in the order of (datasetId, version).
    function _precedes(Source calldata a, Source calldata b) private pure returns (bool) {
        return a.datasetId < b.datasetId || (a.datasetId == b.datasetId && a.version < b.version);
    }
}
