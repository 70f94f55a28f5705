/**
 * Bytes and their hex. Hashes, ids and addresses are kept as in JSON (0x and hex digits), which can be compared by
 * `===`. They are converted to bytes when they are hashed.
 */

import { Refused } from "./errors.mjs";

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {Uint8Array} bytes @returns {string} 0x and two lower-case digits per byte */
export function hex(bytes) {
  let text = "0x";
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

/** @param {string} text 0x and an even number of hex digits, checked before @returns {Uint8Array} */
export function fromHex(text) {
  const bytes = new Uint8Array(text.length / 2 - 1);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(text.substr(2 * at + 2, 2), 16);
  return bytes;
}

/** @param {...(Uint8Array | Uint8Array[])} given Bytes, and lists of them. @returns {Uint8Array} */
export function concat(...given) {
  const parts = given.flat();
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @param {string} text @returns {Uint8Array} */
export function utf8(text) {
  return encoder.encode(text);
}

/** Decode UTF-8, keeping a byte order mark. @throws {Refused} The bytes are not UTF-8. */
export function fromUtf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Refused("These bytes are not UTF-8.");
  }
}

/**
 * Return a 32-byte word with a number, or with shorter bytes on its right side.
 *
 * @param {number | Uint8Array} value A whole number from 0 to 2^53 - 1, or at most 32 bytes.
 */
export function word(value) {
  const bytes = typeof value === "number" ? bigEndian(BigInt(value), 32) : value;
  const result = new Uint8Array(32);
  result.set(bytes, 32 - bytes.length);
  return result;
}

/** @param {Uint8Array} bytes @returns {bigint} */
export function toBigInt(bytes) {
  return bytes.length ? BigInt(hex(bytes)) : 0n;
}

/** @param {bigint} value @param {number} length @returns {Uint8Array} */
export function bigEndian(value, length) {
  return fromHex(`0x${value.toString(16).padStart(2 * length, "0")}`);
}

/** Compare texts by their UTF-8 bytes; JavaScript orders some letters differently. */
export function compareTexts(one, other) {
  const left = one[Symbol.iterator]();
  const right = other[Symbol.iterator]();
  for (;;) {
    const a = left.next();
    const b = right.next();
    if (a.done || b.done) return Number(Boolean(b.done)) - Number(Boolean(a.done));
    if (a.value !== b.value) return a.value.codePointAt(0) - b.value.codePointAt(0);
  }
}
