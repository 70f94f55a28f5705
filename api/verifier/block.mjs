/** The contents of a block: its header, and its transactions' receipts. Source: Yellow Paper, section 4; EIP-2718. */

import { hex } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";
import { asBytes, asList, asNumber, asNumeral, decodeList, encodeNumber } from "./rlp.mjs";

const FIELDS_AT_LEAST = 15;
const FIELDS_AT_MOST = 32;
const LARGEST_TYPE = 0x7f;

/**
 * @typedef {object} Header
 * @property {string} hash Keccak-256 of the header's RLP.
 * @property {string} parentHash
 * @property {string} stateRoot
 * @property {string} receiptsRoot
 * @property {number} number The height.
 * @property {number} time Unix seconds, UTC.
 */

/** @param {Uint8Array} raw @returns {Header} @throws {Refused} It is not the RLP of a header. */
export function decodeHeader(raw) {
  const fields = decodeList(raw);
  if (fields.length < FIELDS_AT_LEAST || fields.length > FIELDS_AT_MOST) {
    throw new Refused(`A block header has ${FIELDS_AT_LEAST} or more fields; got ${fields.length}.`);
  }
  return {
    hash: hex(keccak256(raw)),
    parentHash: hex(asBytes(fields[0], 32)),
    stateRoot: hex(asBytes(fields[3], 32)),
    receiptsRoot: hex(asBytes(fields[5], 32)),
    number: asNumber(fields[8]),
    time: asNumber(fields[11]),
  };
}

/** Return the key of a transaction's receipt in the block's trie. Indices count from 0. */
export const receiptKey = encodeNumber;

/**
 * @typedef {object} Log
 * @property {string} address The contract that logged it, in lower case.
 * @property {string[]} topics
 * @property {Uint8Array} data
 */

/** @param {Uint8Array} raw A receipt from the trie. @returns {Log[]} @throws {Refused} It is malformed. */
export function decodeLogs(raw) {
  const typed = raw.length === 0 || raw[0] <= LARGEST_TYPE;
  const fields = decodeList(typed ? raw.subarray(1) : raw);
  if (fields.length !== 4) throw new Refused(`A receipt has 4 fields; got ${fields.length}.`);
  asNumeral(fields[0], 1);
  asBytes(fields[2], 256);
  return asList(fields[3]).map((item) => {
    const log = asList(item);
    if (log.length !== 3) throw new Refused(`A log has 3 fields; got ${log.length}.`);
    const topics = asList(log[1]);
    if (topics.length > 4) throw new Refused(`A log has at most 4 topics; got ${topics.length}.`);
    return {
      address: hex(asBytes(log[0], 20)),
      topics: topics.map((topic) => hex(asBytes(topic, 32))),
      data: asBytes(log[2]),
    };
  });
}
