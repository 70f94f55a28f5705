/**
 * Events, decoded from topics and data. rooms/ has the events of each contract.
 *
 * An event has its `name`; its `subject`, and the `account` beside it that it is about (null: none); and its `values` in
 * the order and by the names that the record has for them. Solidity strings are bytes here: they need not be UTF-8.
 *
 * @typedef {{name: string, subject: string, account: string | null, values: object}} Event
 */

import { Words } from "./abi.mjs";
import { checksummed } from "./address.mjs";
import { hex, utf8 } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";

/** The first topic of an event. @param {string} signature */
export function topicOf(signature) {
  return hex(keccak256(utf8(signature)));
}

/** The address in a topic. @param {string} topic */
export function addressIn(topic) {
  return checksummed(`0x${topic.slice(26)}`);
}

/**
 * Reads a log.
 *
 * @param {Map<string, [number, (indexed: string[], words: Words) => Event | null]>} kinds By topic: how many values are
 *   indexed, and how to read the event.
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
