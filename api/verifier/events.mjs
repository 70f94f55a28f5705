/**
 * What the contracts log, decoded from topics and data.
 *
 * An event has its `name`, its `datasetId`, and its values in the order and by the names that the record has for them.
 * Solidity strings are bytes here, since they need not be UTF-8.
 */

import { Words } from "./abi.mjs";
import { checksummed } from "./address.mjs";
import { hex, toBigInt, fromHex, utf8 } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";

const MAX_SOURCE_BITS = 24;
const ZERO_WORD = `0x${"0".repeat(64)}`;
const topicOf = (signature) => hex(keccak256(utf8(signature)));
const addressIn = (topic) => checksummed(`0x${topic.slice(26)}`);

/** By topic: how many values are indexed, and how to read the event. */
const REGISTRY = new Map([
  [
    topicOf("Registered(uint256,address,bytes32,bytes32,bytes32,string,(uint256,uint24)[])"),
    [3, ([datasetId, owner, contentRoot], words) => ({
      name: "Registered",
      datasetId,
      owner: addressIn(owner),
      contentRoot,
      metadataHash: words.bytes32(0),
      salt: words.bytes32(1),
      uri: words.string(2),
      sources: sources(words, 3),
    })],
  ],
  [
    topicOf("Revised(uint256,uint24,bytes32,bytes32,string,(uint256,uint24)[])"),
    [3, ([datasetId, version, contentRoot], words) => ({
      name: "Revised",
      datasetId,
      version: Number(toBigInt(fromHex(version))),
      contentRoot,
      metadataHash: words.bytes32(0),
      uri: words.string(1),
      sources: sources(words, 2),
    })],
  ],
  [
    topicOf("Transfer(address,address,uint256)"),
    // A transfer from nobody is the mint before a registration: the event of the registration says all.
    [3, ([previousOwner, owner, datasetId]) => previousOwner === ZERO_WORD ? null : ({
      name: "Transferred",
      datasetId,
      previousOwner: addressIn(previousOwner),
      owner: addressIn(owner),
    })],
  ],
  [
    topicOf("Withdrawn(uint256,string)"),
    [1, ([datasetId], words) => ({ name: "Withdrawn", datasetId, reason: words.string(0) })],
  ],
]);

const GRANTS = new Map([
  [
    topicOf("AccessRequested(uint256,address,uint32,uint48,uint32,string)"),
    [2, ([datasetId, grantee], words) => ({
      name: "AccessRequested",
      datasetId,
      grantee: addressIn(grantee),
      rights: words.uint(0, 32),
      expiresAt: words.uint(1, 48),
      requests: words.uint(2, 32),
      purpose: words.string(3),
    })],
  ],
  [
    topicOf("AccessGranted(uint256,address,uint32,uint48,uint48,bytes32,uint32)"),
    [2, ([datasetId, grantee], words) => ({
      name: "AccessGranted",
      datasetId,
      grantee: addressIn(grantee),
      rights: words.uint(0, 32),
      startsAt: words.uint(1, 48),
      expiresAt: words.uint(2, 48),
      termsHash: words.bytes32(3),
      epoch: words.uint(4, 32),
    })],
  ],
  [
    topicOf("AccessRevoked(uint256,address,uint32)"),
    [2, ([datasetId, grantee], words) => ({
      name: "AccessRevoked",
      datasetId,
      grantee: addressIn(grantee),
      epoch: words.uint(0, 32),
    })],
  ],
]);

/**
 * Reads a log of DatasetRegistry.
 *
 * @param {import("./block.mjs").Log} log
 * @returns {object | null} The event, or null for a log that changes no record (an approval).
 * @throws {Refused} The log is none that the contract could have made.
 */
export function registryEvent(log) {
  return decoded(REGISTRY, log);
}

/** Reads a log of AccessGrants, as `registryEvent` does. */
export function grantsEvent(log) {
  return decoded(GRANTS, log);
}

function decoded(kinds, log) {
  const kind = kinds.get(log.topics[0]);
  if (!kind) return null;
  const [indexed, read] = kind;
  const values = log.topics.slice(1);
  if (values.length !== indexed) throw new Refused(`An event with ${indexed} indexed values has ${values.length}.`);
  return read(values, new Words(log.data));
}

function sources(words, index) {
  const [start, length] = words.tailAt(index);
  const found = [];
  for (let at = start; at < start + 2 * length; at += 2) {
    const version = words.uint(at + 1, MAX_SOURCE_BITS);
    if (version === 0) throw new Refused("The versions of sources count from 1.");
    found.push({ datasetId: words.bytes32(at), version });
  }
  return found;
}
