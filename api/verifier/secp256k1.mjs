/** Recover the signer of a digest by ECDSA on secp256k1. Source: SEC 1, section 4.1.6; SEC 2, section 2.4.1. */

import { bigEndian, concat, hex, toBigInt } from "./bytes.mjs";
import { checksummed } from "./address.mjs";
import { inverse, mod, power, twoMultiples } from "./curve.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";

const P = 2n ** 256n - 2n ** 32n - 977n;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const G = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  z: 1n,
};

/** Points in Jacobian coordinates; z is 0 at infinity. */
const group = {
  zero: { x: 1n, y: 1n, z: 0n },

  double({ x, y, z }) {
    const yy = (y * y) % P;
    const s = (4n * x * yy) % P;
    const m = (3n * x * x) % P;
    const tripled = mod(m * m - 2n * s, P);
    return { x: tripled, y: mod(m * (s - tripled) - 8n * yy * yy, P), z: (2n * y * z) % P };
  },

  add(one, other) {
    if (one.z === 0n) return other;
    if (other.z === 0n) return one;
    const [oneZz, otherZz] = [(one.z * one.z) % P, (other.z * other.z) % P];
    const [u, v] = [(one.x * otherZz) % P, (other.x * oneZz) % P];
    const s = (one.y * otherZz * other.z) % P;
    const h = mod(v - u, P);
    const r = mod(other.y * oneZz * one.z - s, P);
    if (h === 0n) return r === 0n ? group.double(one) : group.zero;
    const hh = (h * h) % P;
    const hhh = (h * hh) % P;
    const uhh = (u * hh) % P;
    const x = mod(r * r - hhh - 2n * uhh, P);
    return { x, y: mod(r * (uhh - x) - s * hhh, P), z: (h * one.z * other.z) % P };
  },
};

/**
 * Return the account that signed a digest.
 *
 * @param {Uint8Array} digest 32 bytes.
 * @param {Uint8Array} signature r, s and v: 65 bytes, a low s, v 27 or 28: the only form that the contracts accept.
 * @returns {string} The address.
 * @throws {Refused} The signature has another form or is not valid.
 */
export function signer(digest, signature) {
  const v = signature[64];
  if (signature.length !== 65 || (v !== 27 && v !== 28)) {
    throw new Refused("The signature is not of 65 bytes with 27 or 28 as the last.");
  }
  const r = toBigInt(signature.subarray(0, 32));
  const s = toBigInt(signature.subarray(32, 64));
  if (s > N >> 1n) throw new Refused("The signature has a high s, which the contracts refuse.");
  const square = (r ** 3n + 7n) % P;
  const root = power(square, (P + 1n) / 4n, P);
  if (r === 0n || r >= N || s === 0n || (root * root) % P !== square) {
    throw new Refused("The signature is not valid for any key.");
  }
  const R = { x: r, y: Number(root & 1n) === v - 27 ? root : P - root, z: 1n };
  const inverted = inverse(r, N);
  const z = toBigInt(digest);
  const Q = twoMultiples(group, mod(-z * inverted, N), G, (s * inverted) % N, R);
  if (Q.z === 0n) throw new Refused("The signature is not valid for any key.");
  const inverseZ = inverse(Q.z, P);
  const x = (Q.x * inverseZ ** 2n) % P;
  const y = (Q.y * inverseZ ** 3n) % P;
  return checksummed(hex(keccak256(concat(bigEndian(x, 32), bigEndian(y, 32))).subarray(12)));
}
