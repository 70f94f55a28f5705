/** Arithmetic in the prime fields that elliptic curves are over. It handles public values only: its time tells them. */

/** The residue from 0 to modulus - 1. */
export function mod(value, modulus) {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** A power, by squaring. */
export function power(base, exponent, modulus) {
  let result = 1n;
  for (let rest = exponent, square = mod(base, modulus); rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if (rest & 1n) result = (result * square) % modulus;
  }
  return result;
}

/** The inverse, by Fermat's little theorem; of 0 it is 0. */
export function inverse(value, prime) {
  return power(value, prime - 2n, prime);
}

/**
 * a * P + b * Q, both at once.
 *
 * @template Point
 * @param {{zero: Point, add: (one: Point, other: Point) => Point, double: (point: Point) => Point}} group
 */
export function twoMultiples(group, a, P, b, Q) {
  const both = group.add(P, Q);
  let sum = group.zero;
  for (let bit = BigInt(Math.max(a.toString(2).length, b.toString(2).length)) - 1n; bit >= 0n; bit--) {
    sum = group.double(sum);
    const [inA, inB] = [(a >> bit) & 1n, (b >> bit) & 1n];
    if (inA || inB) sum = group.add(sum, inA && inB ? both : inA ? P : Q);
  }
  return sum;
}
