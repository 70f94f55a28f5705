/** Addresses in JSON: with the checksum of EIP-55 in the case of their letters. */

import { hex, utf8 } from "./bytes.mjs";
import { keccak256 } from "./keccak.mjs";

export const ZERO_ADDRESS = `0x${"0".repeat(40)}`;

/** @param {string} address 0x and 40 hex digits @returns {string} The same with its checksum. */
export function checksummed(address) {
  const digits = address.slice(2).toLowerCase();
  const nibbles = hex(keccak256(utf8(digits))).slice(2);
  return `0x${[...digits].map((digit, at) => (parseInt(nibbles[at], 16) >= 8 ? digit.toUpperCase() : digit)).join("")}`;
}
