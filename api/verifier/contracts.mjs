/**
 * The contracts in the state of a block: that their code is that of a release, and what they keep.
 *
 * Source: Yellow Paper, section 4.1; Solidity's layout of state variables in storage; EIP-712.
 */

import { concat, fromHex, hex, toBigInt, utf8, word } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";
import { asBytes, asNumeral, decode, decodeList } from "./rlp.mjs";

const HEADS_SLOT = 8;
const PAIRS_SLOT = 2;
const VERSION = "1";
const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const hashed = (text) => keccak256(utf8(text));

/** The EIP-712 domain separator of a contract. @returns {Uint8Array} */
export function domainSeparator(contract, chainId, address) {
  const parts = [hashed(DOMAIN_TYPE), hashed(contract), hashed(VERSION), word(chainId), word(fromHex(address))];
  return keccak256(concat(parts));
}

/**
 * The storage root of a contract whose code is that of a release.
 *
 * @param {import("./trie.mjs").Nodes} nodes
 * @param {string} stateRoot
 * @param {"DatasetRegistry" | "AccessGrants"} contract
 * @param {{chainId: number, address: string, registry: string}} place
 * @param {object} releases The code of every release: releases.json.
 * @returns {{storageRoot: string, release: string}}
 * @throws {Refused} There is no such account, or its code is another.
 */
export function genuine(nodes, stateRoot, contract, place, releases) {
  const raw = nodes.value(stateRoot, keccak256(fromHex(place.address)));
  if (raw === null) throw new Refused(`The state has no account ${place.address}.`);
  const fields = decodeList(raw);
  if (fields.length !== 4) throw new Refused(`The account ${place.address} is malformed.`);
  const storageRoot = hex(asBytes(fields[2], 32));
  const codeHash = hex(asBytes(fields[3], 32));
  for (const [release, contracts] of Object.entries(releases)) {
    const template = contracts[contract];
    if (template && hex(keccak256(deployed(template, contract, place))) === codeHash) return { storageRoot, release };
  }
  throw new Refused(
    `The account ${place.address} does not have the code that ${contract} has on chain ${place.chainId}.`,
    "It is another contract or another chain, or a release newer than this program.",
  );
}

/** The head of a dataset that DatasetRegistry keeps. */
export function headIn(nodes, storageRoot, datasetId) {
  return hex(slotAt(nodes, storageRoot, inMapping(word(HEADS_SLOT), fromHex(datasetId))));
}

/** What AccessGrants keeps of a dataset and a grantee. */
export function accessIn(nodes, storageRoot, datasetId, grantee) {
  const slot = inMapping(inMapping(word(PAIRS_SLOT), fromHex(datasetId)), word(fromHex(grantee)));
  const bytes = slotAt(nodes, storageRoot, slot);
  const number = (start, end) => Number(toBigInt(bytes.subarray(start, end)));
  if (number(0, 7) || bytes[7] > 1) throw new Refused(`AccessGrants could not have written the slot ${hex(bytes)}.`);
  return {
    startsAt: number(26, 32),
    expiresAt: number(20, 26),
    rights: number(16, 20),
    epoch: number(12, 16),
    requests: number(8, 12),
    revoked: bytes[7] === 1,
  };
}

function deployed(template, contract, { chainId, address, registry }) {
  const values = {
    domainSeparator: domainSeparator(contract, chainId, address),
    chainId: word(chainId),
    address: word(fromHex(address)),
    hashedName: hashed(contract),
    hashedVersion: hashed(VERSION),
    name: shortString(contract),
    version: shortString(VERSION),
    registry: word(fromHex(registry)),
  };
  const code = fromHex(template.code);
  for (const [name, offsets] of Object.entries(template.immutables)) {
    for (const offset of offsets) code.set(values[name], offset);
  }
  return code;
}

/** A string as OpenZeppelin's ShortStrings packs it: the bytes, zeros, and the length last. */
function shortString(text) {
  const packed = new Uint8Array(32);
  packed.set(utf8(text));
  packed[31] = text.length;
  return packed;
}

function slotAt(nodes, storageRoot, slot) {
  const raw = nodes.value(storageRoot, keccak256(slot));
  return raw === null ? word(0) : word(asNumeral(decode(raw), 32));
}

function inMapping(base, key) {
  return keccak256(concat(key, base));
}
