/** RLP, read strictly: every value has one encoding, and only that one is accepted. Source: Yellow Paper, appendix B. */

import { concat, hex, toBigInt } from "./bytes.mjs";
import { Refused } from "./errors.mjs";

const MAX_DEPTH = 16;
const SHORT = 56;

/** @typedef {Uint8Array | Item[]} Item */

/** @param {Uint8Array} data @returns {Item[]} @throws {Refused} They are not the canonical encoding of a list. */
export function decodeList(data) {
  return asList(decode(data));
}

/** @param {Uint8Array} data @returns {Item} @throws {Refused} They are not the canonical encoding of one item. */
export function decode(data) {
  const [item, end] = read(data, 0, data.length, MAX_DEPTH);
  if (end !== data.length) throw new Refused(`${data.length - end} bytes follow the end of the RLP item.`);
  return item;
}

/** @param {Item} item @returns {Item[]} */
export function asList(item) {
  if (!Array.isArray(item)) throw new Refused("Expected an RLP list; got bytes.");
  return item;
}

/** @param {Item} item @param {number} [length] The exact length, if one is required. @returns {Uint8Array} */
export function asBytes(item, length) {
  if (Array.isArray(item)) throw new Refused("Expected RLP bytes; got a list.");
  if (length !== undefined && item.length !== length) {
    throw new Refused(`Expected ${length} RLP bytes; got ${item.length}.`);
  }
  return item;
}

/** Return the bytes of an unsigned number, which must not have leading zeros. @param {Item} item @param {number} most bytes */
export function asNumeral(item, most) {
  const bytes = asBytes(item);
  if (bytes[0] === 0 || bytes.length > most) {
    throw new Refused(`Expected an RLP number of at most ${8 * most} bits without leading zeros.`);
  }
  return bytes;
}

/** Return a number of at most 48 bits, which is enough for heights and times. @param {Item} item @returns {number} */
export function asNumber(item) {
  return Number(toBigInt(asNumeral(item, 6)));
}

/** Return the RLP of an integer. @param {number} value @returns {Uint8Array} */
export function encodeNumber(value) {
  if (value === 0) return Uint8Array.of(0x80);
  const bytes = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  const numeral = Uint8Array.from(bytes);
  return value < 0x80 ? numeral : concat(Uint8Array.of(0x80 + numeral.length), numeral);
}

/** Return the item at an offset and the offset after it, which is at most `end`. */
function read(data, at, end, depth) {
  if (at >= end) throw new Refused("The RLP item is cut short.");
  const lead = data[at];
  if (lead < 0x80) return [data.subarray(at, at + 1), at + 1];
  if (lead < 0xc0) {
    const [start, stop] = span(data, at, end, lead - 0x80);
    if (stop - start === 1 && data[start] < 0x80) {
      throw new Refused("A single byte below 0x80 is its own RLP encoding; this one has a prefix.");
    }
    return [data.subarray(start, stop), stop];
  }
  const [start, stop] = span(data, at, end, lead - 0xc0);
  if (depth === 0) throw new Refused(`The RLP item is nested deeper than ${MAX_DEPTH} levels.`);
  const items = [];
  for (let next = start; next < stop; ) {
    const [item, behind] = read(data, next, stop, depth - 1);
    items.push(item);
    next = behind;
  }
  return [items, stop];
}

/** Return the start and end of an item's body, given the `length` in its lead byte. */
function span(data, at, end, length) {
  let start = at + 1;
  if (length >= SHORT) {
    const size = length - SHORT + 1;
    const numeral = data.subarray(start, start + size);
    start += size;
    // A length above 2^53 is rounded here, but still exceeds the end.
    length = Number(hex(numeral));
    if (numeral.length !== size || numeral[0] === 0 || length < SHORT) {
      throw new Refused("An RLP length is cut short or longer than necessary.");
    }
  }
  if (start + length > end) throw new Refused("The RLP item is cut short.");
  return [start, start + length];
}
