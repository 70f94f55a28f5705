/**
 * Check a block's state: that a contract's code is that of a release, and the contents of its storage.
 *
 * Source: Yellow Paper, section 4.1; Solidity's layout of state variables in storage.
 */

import { concat, fromHex, hex, utf8, word } from "./bytes.mjs";
import { domainSeparator, hashed, VERSION } from "./eip712.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";
import { asBytes, asNumeral, decode, decodeList } from "./rlp.mjs";

/**
 * Return the storage root of a contract whose code is that of a release.
 *
 * @param {import("./trie.mjs").Nodes} nodes
 * @param {string} stateRoot
 * @param {import("./rooms/catalogue.mjs").Room} room The contract's room.
 * @param {{chainId: number, contracts: Record<string, string | null>}} place
 * @param {object} releases The code of every release: releases.json.
 * @returns {{storageRoot: string, release: string}}
 * @throws {Refused} The account does not exist, or has other code.
 */
export function genuine(nodes, stateRoot, room, place, releases) {
  const address = place.contracts[room.contract];
  const raw = nodes.value(stateRoot, keccak256(fromHex(address)));
  if (raw === null) throw new Refused(`The state has no account ${address}.`);
  const fields = decodeList(raw);
  if (fields.length !== 4) throw new Refused(`The account ${address} is malformed.`);
  const storageRoot = hex(asBytes(fields[2], 32));
  const codeHash = hex(asBytes(fields[3], 32));
  for (const [release, contracts] of Object.entries(releases)) {
    const template = contracts[room.contract];
    if (template && hex(keccak256(deployed(template, room, place))) === codeHash) return { storageRoot, release };
  }
  throw new Refused(
    `The account ${address} does not have the code that ${room.contract} has on chain ${place.chainId}.`,
    "It is another contract or another chain, or a release newer than this program.",
  );
}

/** Return the 32 bytes in a slot as hex; zero if the nodes prove that the slot was never written. */
export function slotAt(nodes, storageRoot, slot) {
  const raw = nodes.value(storageRoot, keccak256(slot));
  return hex(raw === null ? word(0) : word(asNumeral(decode(raw), 32)));
}

/** Return the slot of a mapping's value. @param {Uint8Array} base The mapping's own slot. @param {Uint8Array} key 32 bytes. */
export function inMapping(base, key) {
  return keccak256(concat(key, base));
}

function deployed(template, { contract, references }, { chainId, contracts }) {
  const address = contracts[contract];
  const values = {
    domainSeparator: domainSeparator(contract, chainId, address),
    chainId: word(chainId),
    address: word(fromHex(address)),
    hashedName: hashed(contract),
    hashedVersion: hashed(VERSION),
    name: shortString(contract),
    version: shortString(VERSION),
  };
  for (const [name, other] of Object.entries(references)) values[name] = word(fromHex(contracts[other]));
  const code = fromHex(template.code);
  for (const [name, offsets] of Object.entries(template.immutables)) {
    for (const offset of offsets) code.set(values[name], offset);
  }
  return code;
}

/** Return a string packed as by OpenZeppelin's ShortStrings: the bytes, zeros, and the length last. */
function shortString(text) {
  const packed = new Uint8Array(32);
  packed.set(utf8(text));
  packed[31] = text.length;
  return packed;
}
