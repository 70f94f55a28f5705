/**
 * Ethereum's Merkle-Patricia trie: look up a key in the nodes on the path from the root.
 *
 * Source: Yellow Paper, appendix D.
 */

import { hex } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";
import { decodeList } from "./rlp.mjs";

const BRANCH_ITEMS = 17;
const EMPTY_ROOT = hex(keccak256(Uint8Array.of(0x80)));

export class Nodes {
  #raw = new Map();
  #read = new Map();

  /** @param {Uint8Array[]} nodes The RLP of each. @throws {Refused} A node occurs twice. */
  constructor(nodes) {
    for (const node of nodes) {
      const digest = hex(keccak256(node));
      if (this.#raw.has(digest)) throw new Refused(`The trie node ${digest} appears twice.`);
      this.#raw.set(digest, node);
    }
  }

  /**
   * Return the value of a key.
   *
   * @param {string} root The root's hash, which the caller trusts.
   * @param {Uint8Array} key
   * @returns {Uint8Array | null} The value, or null if the nodes prove that there is none.
   * @throws {Refused} A node on the path is missing or malformed.
   */
  value(root, key) {
    if (root === EMPTY_ROOT) return null;
    const path = hex(key).slice(2);
    let at = 0;
    let node = this.#node(root);
    for (;;) {
      let child;
      if (node.length === BRANCH_ITEMS) {
        if (at === path.length) {
          const value = valueOf(node[16]);
          return value.length ? value : null;
        }
        child = node[parseInt(path[at], 16)];
        at += 1;
        if (child.length === 0 && !Array.isArray(child)) return null;
      } else {
        const [shared, isLeaf] = unpacked(node);
        if (isLeaf) return path.slice(at) === shared ? valueOf(node[1]) : null;
        if (!path.startsWith(shared, at)) return null;
        at += shared.length;
        child = node[1];
      }
      node = Array.isArray(child) ? child : this.#node(hex(child));
    }
  }

  /** Require that every node was used. @throws {Refused} A node was not on the path to any value. */
  requireAllRead() {
    const idle = this.#raw.size - this.#read.size;
    if (idle) throw new Refused(`${idle} trie nodes belong to no proof.`);
  }

  #node(digest) {
    if (!this.#read.has(digest)) {
      const raw = this.#raw.get(digest);
      if (!raw) throw new Refused(`The trie node ${digest} is missing from the proof.`);
      this.#read.set(digest, decodeList(raw));
    }
    return this.#read.get(digest);
  }
}

function valueOf(item) {
  if (Array.isArray(item)) throw new Refused("A trie node has a list in place of its value.");
  return item;
}

/** Return the nibbles of an extension's or a leaf's path, and whether it is a leaf's. */
function unpacked(node) {
  const digits = node.length === 2 && !Array.isArray(node[0]) ? hex(node[0]).slice(2) : "";
  if (/^[13]/.test(digits)) return [digits.slice(1), digits[0] === "3"];
  if (/^[02]0/.test(digits)) return [digits.slice(2), digits[0] === "2"];
  throw new Refused("A trie node is not a branch, an extension or a leaf.");
}
