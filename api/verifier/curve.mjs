/** Arithmetic in the prime fields that elliptic curves are over. It is not constant-time, so it handles public values only. */

/** Return the residue from 0 to modulus - 1. */
export function mod(value, modulus) {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** Return a power, by squaring. */
export function power(base, exponent, modulus) {
  let result = 1n;
  for (let rest = exponent, square = mod(base, modulus); rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if (rest & 1n) result = (result * square) % modulus;
  }
  return result;
}

/** Return the inverse by Fermat's little theorem; 0 for 0. */
export function inverse(value, prime) {
  return power(value, prime - 2n, prime);
}

/**
 * Return a * P + b * Q, computed together.
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
