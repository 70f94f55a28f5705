/** Decode the part of the Solidity ABI that events use. Source: Contract ABI Specification. */

import { hex, toBigInt } from "./bytes.mjs";
import { Refused } from "./errors.mjs";

const WORD = 32;

export class Words {
  #data;

  /** @param {Uint8Array} data Whole words. */
  constructor(data) {
    if (data.length % WORD) throw new Refused(`ABI data consists of words of 32 bytes; got ${data.length} bytes.`);
    this.#data = data;
  }

  /** Return the 32 bytes at an index as hex. */
  bytes32(index) {
    return hex(this.#word(index));
  }

  /** Return the unsigned number of at most 53 bits at an index. */
  uint(index, bits) {
    const value = toBigInt(this.#word(index));
    if (value >> BigInt(bits)) throw new Refused(`The ABI word ${index} does not fit uint${bits}.`);
    return Number(value);
  }

  /** Follow the offset at an index; return the index of the first word after the length, and the length. */
  tailAt(index) {
    const offset = this.uint(index, 32);
    if (offset % WORD) throw new Refused(`The ABI offset at word ${index} is not a multiple of 32.`);
    return [offset / WORD + 1, this.uint(offset / WORD, 32)];
  }

  /** Return the bytes of the `string` whose offset is at an index. */
  string(index) {
    const [start, length] = this.tailAt(index);
    const end = WORD * start + WORD * Math.ceil(length / WORD);
    const whole = this.#data.subarray(WORD * start, end);
    if (end > this.#data.length || whole.subarray(length).some((byte) => byte !== 0)) {
      throw new Refused(`The ABI tail of word ${index} is cut short or badly padded.`);
    }
    return whole.subarray(0, length);
  }

  #word(index) {
    const word = this.#data.subarray(WORD * index, WORD * index + WORD);
    if (word.length !== WORD) throw new Refused(`ABI data ends before word ${index}.`);
    return word;
  }
}
