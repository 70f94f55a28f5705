/**
 * Decode events from topics and data. rooms/ has the events of each contract.
 *
 * An event has its `name`; its `subject`, and the `account` that it also concerns (null: none); and its `values` in the
 * order and by the names of the record. Solidity strings are bytes here: they need not be UTF-8.
 *
 * @typedef {{name: string, subject: string, account: string | null, values: object}} Event
 */

import { Words } from "./abi.mjs";
import { checksummed } from "./address.mjs";
import { hex, utf8 } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";

/** Return the first topic of an event. @param {string} signature */
export function topicOf(signature) {
  return hex(keccak256(utf8(signature)));
}

/** Return the address in a topic. @param {string} topic */
export function addressIn(topic) {
  return checksummed(`0x${topic.slice(26)}`);
}

/**
 * Decode a log.
 *
 * @param {Map<string, [number, (indexed: string[], words: Words) => Event | null]>} kinds By topic: the number of
 *   indexed values, and the function that decodes the event.
 * @param {import("./block.mjs").Log} log
 * @returns {Event | null} Null for a log that changes no record.
 * @throws {Refused} The contract cannot have made this log.
 */
export function decoded(kinds, log) {
  const kind = kinds.get(log.topics[0]);
  if (!kind) return null;
  const [indexed, read] = kind;
  const values = log.topics.slice(1);
  if (values.length !== indexed) throw new Refused(`An event with ${indexed} indexed values has ${values.length}.`);
  return read(values, new Words(log.data));
}
