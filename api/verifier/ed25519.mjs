/** Verify Ed25519 signatures. Browsers offer this only to pages served over TLS. Source: RFC 8032, section 5.1. */

import { toBigInt } from "./bytes.mjs";
import { inverse, mod, power, twoMultiples } from "./curve.mjs";
import { sha512 } from "./sha512.mjs";

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n, P), P);
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n, P);

const littleEndian = (bytes) => toBigInt(Uint8Array.from(bytes).reverse());
const extended = (x, y) => ({ x, y, z: 1n, t: (x * y) % P });

/** Points in extended coordinates. */
const group = {
  zero: extended(0n, 1n),

  double: (point) => group.add(point, point),

  add(one, other) {
    const a = ((one.y - one.x) * (other.y - other.x)) % P;
    const b = ((one.y + one.x) * (other.y + other.x)) % P;
    const c = (2n * one.t * other.t * D) % P;
    const d = (2n * one.z * other.z) % P;
    const [e, f, g, h] = [b - a, d - c, d + c, b + a];
    return { x: mod(e * f, P), y: mod(g * h, P), z: mod(f * g, P), t: mod(e * h, P) };
  },
};

/** Return eight times a point, which removes its small-order part. */
const cleared = (point) => group.double(group.double(group.double(point)));
const isZero = ({ x, y, z }) => x === 0n && y === z;

/**
 * Return whether a message was signed with a key.
 *
 * Keys and points of small order are refused: their signatures are valid for many messages, no honest signer makes them,
 * and implementations differ about them.
 *
 * @param {Uint8Array} key 32 bytes.
 * @param {Uint8Array} signature
 * @param {Uint8Array} message
 */
export function isSigned(key, signature, message) {
  const A = pointOf(key);
  const R = pointOf(signature.subarray(0, 32));
  const s = littleEndian(signature.subarray(32));
  if (signature.length !== 64 || !A || !R || s >= ORDER) return false;
  if (isZero(cleared(A)) || isZero(cleared(R))) return false;
  const k = littleEndian(sha512(signature.subarray(0, 32), key, message)) % ORDER;
  const B = pointOf(BASE);
  const minusA = { ...A, x: mod(-A.x, P), t: mod(-A.t, P) };
  const minusR = { ...R, x: mod(-R.x, P), t: mod(-R.t, P) };
  return isZero(cleared(group.add(twoMultiples(group, s, B, k, minusA), minusR)));
}

/** The base point: y is 4/5, x even. */
const BASE = Uint8Array.from({ length: 32 }, (_, at) => (at ? 0x66 : 0x58));

/** Return the point that 32 bytes encode, or null if they do not encode one. */
function pointOf(bytes) {
  if (bytes.length !== 32) return null;
  const isOdd = BigInt(bytes[31] >> 7);
  const y = littleEndian(bytes) & (2n ** 255n - 1n);
  if (y >= P) return null;
  const [u, v] = [mod(y * y - 1n, P), mod(D * y * y + 1n, P)];
  let x = (u * v ** 3n * power(u * v ** 7n, (P - 5n) / 8n, P)) % P;
  if ((v * x * x) % P !== u) x = (x * ROOT_OF_MINUS_ONE) % P;
  if ((v * x * x) % P !== u || (x === 0n && isOdd)) return null;
  return extended((x & 1n) === isOdd ? x : P - x, y);
}
