/** EIP-712: domain separators, and the hashes of structs by their type strings. */

import { concat, fromHex, utf8, word } from "./bytes.mjs";
import { keccak256 } from "./keccak.mjs";

export const VERSION = "1";
const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

/** @param {string} text @returns {Uint8Array} */
export function hashed(text) {
  return keccak256(utf8(text));
}

/** Return the domain separator of a contract. @returns {Uint8Array} */
export function domainSeparator(contract, chainId, address) {
  const parts = [hashed(DOMAIN_TYPE), hashed(contract), hashed(VERSION), word(chainId), word(fromHex(address))];
  return keccak256(concat(parts));
}

/** Return the fields of a struct's type string: type and name of each. */
export function fieldsOf(type) {
  return type
    .slice(type.indexOf("(") + 1, -1)
    .split(",")
    .map((field) => field.split(" "));
}

/**
 * Return the hash of a struct.
 *
 * @param {string} type Its type string, without the structs that it refers to.
 * @param {object} values Its values by name, in their JSON form.
 * @param {Record<string, string>} structs The type strings of the structs that messages refer to, by name.
 */
export function structHash(type, values, structs = {}) {
  const fields = fieldsOf(type);
  const inner = fields.map(([kind]) => structs[kind.replace("[]", "")]).filter(Boolean);
  const parts = fields.map(([kind, name]) => encoded(kind, values[name], structs));
  return keccak256(concat(hashed([type, ...new Set(inner)].join("")), parts));
}

function encoded(kind, value, structs) {
  if (kind === "string") return hashed(value);
  if (kind.endsWith("[]")) {
    return keccak256(concat(value.map((one) => structHash(structs[kind.slice(0, -2)], one, structs))));
  }
  return word(typeof value === "number" ? value : fromHex(value));
}
