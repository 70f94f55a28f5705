/** SHA-512 of short messages; Ed25519 needs it. Source: FIPS 180-4. */

import { bigEndian, concat } from "./bytes.mjs";

const BITS = 64;
const MASK = (1n << 64n) - 1n;
const BLOCK = 128;

/** The first 64 bits of the fractional parts of the roots of the first primes: square roots, then cube roots. */
const [INITIAL, CONSTANTS] = (() => {
  const primes = [];
  for (let number = 2; primes.length < 80; number++) if (primes.every((prime) => number % prime)) primes.push(number);
  const fraction = (prime, degree) => wholeRoot(BigInt(prime) << (64n * degree), degree) & MASK;
  const roots = (degree, count) => primes.slice(0, count).map((prime) => fraction(prime, degree));
  return [roots(2n, 8), roots(3n, 80)];
})();

/** The whole part of a root, by bisection. */
function wholeRoot(value, degree) {
  let [low, high] = [0n, 1n << 72n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= value) low = middle;
    else high = middle;
  }
  return low;
}

const turned = (value, by) => ((value >> by) | (value << (64n - by))) & MASK;

/** @param {...Uint8Array} parts Hashed as one. @returns {Uint8Array} 64 bytes */
export function sha512(...parts) {
  const message = concat(parts);
  const padding = new Uint8Array(BLOCK - ((message.length + 16) % BLOCK));
  padding[0] = 0x80;
  const padded = concat(message, padding, bigEndian(BigInt(message.length) * 8n, 16));
  const view = new DataView(padded.buffer);
  const state = [...INITIAL];
  for (let at = 0; at < padded.length; at += BLOCK) {
    const w = Array.from({ length: 16 }, (_, t) => view.getBigUint64(at + 8 * t));
    for (let t = 16; t < 80; t++) {
      const [x, y] = [w[t - 15], w[t - 2]];
      const small0 = turned(x, 1n) ^ turned(x, 8n) ^ (x >> 7n);
      const small1 = turned(y, 19n) ^ turned(y, 61n) ^ (y >> 6n);
      w.push(BigInt.asUintN(BITS, w[t - 16] + small0 + w[t - 7] + small1));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 80; t++) {
      const big1 = turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n);
      const one = h + big1 + ((e & f) ^ (~e & g)) + CONSTANTS[t] + w[t];
      const big0 = turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n);
      const two = big0 + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, BigInt.asUintN(BITS, d + one), c, b, a, BigInt.asUintN(BITS, one + two)];
    }
    [a, b, c, d, e, f, g, h].forEach((value, index) => {
      state[index] = BigInt.asUintN(BITS, state[index] + value);
    });
  }
  return concat(state.map((value) => bigEndian(value, 8)));
}
