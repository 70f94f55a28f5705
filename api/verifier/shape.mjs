/**
 * Checks of JSON values: each returns the value, or throws a `Refused` that names the place.
 *
 * A place is a name, or its container and the key there. The text of a place is made only for an error.
 *
 * @typedef {string | {within: Place, key: string | number}} Place
 * @typedef {(value: unknown, where: Place) => unknown} Check
 */

import { checksummed } from "./address.mjs";
import { Refused } from "./errors.mjs";

function refuse(where, what) {
  return new Refused(`${placeText(where)}: ${what}.`);
}

/** @param {Place} where @returns {string} */
export function placeText(where) {
  if (typeof where === "string") return where;
  const { within, key } = where;
  return `${placeText(within)}${typeof key === "number" ? `[${key}]` : `.${key}`}`;
}

/** @param {(value: unknown) => boolean} holds @param {string} what @returns {Check} */
function requires(holds, what) {
  return (value, where) => {
    if (!holds(value)) throw refuse(where, what);
    return value;
  };
}

const matches = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

export const text = requires((value) => typeof value === "string", "it is not a text");
export const flag = requires((value) => typeof value === "boolean", "it is neither true nor false");
export const data = requires(matches(/^0x(?:[0-9a-f]{2})*$/), "it is not 0x and pairs of lower-case hex digits");
export const bytes32 = requires(matches(/^0x[0-9a-f]{64}$/), "it is not 0x and 64 lower-case hex digits");
export const anyObject = requires(isObject, "it is not an object");
export const address = requires(
  (value) => matches(/^0x[0-9a-fA-F]{40}$/)(value) && checksummed(value) === value,
  "it is not an address with its checksum",
);

/** Return a check for an integer from `least` to `most`. */
export const whole = (least, most = Number.MAX_SAFE_INTEGER) =>
  requires(
    (value) => Number.isSafeInteger(value) && value >= least && value <= most,
    "it is not a whole number in its range",
  );
export const count = whole(0);

/** Return a check for one of several values. */
export const oneOf = (...values) => requires((value) => values.includes(value), `it is not ${values.join(" or ")}`);

/** Return a check for null or values that another check accepts. @returns {Check} */
export const nullable = (check) => (value, where) => (value === null ? null : check(value, where));

/** Return a check for an array with a minimum length. @returns {Check} */
export function arrayOf(check, least = 0) {
  return (value, where) => {
    if (!Array.isArray(value) || value.length < least) throw refuse(where, `it is not an array of ${least} or more`);
    value.forEach((element, index) => check(element, { within: where, key: index }));
    return value;
  };
}

/** Return a check for an array of exactly these elements. @returns {Check} */
export function tupleOf(...checks) {
  return (value, where) => {
    if (!Array.isArray(value) || value.length !== checks.length) {
      throw refuse(where, `it is not an array of ${checks.length}`);
    }
    checks.forEach((check, index) => check(value[index], { within: where, key: index }));
    return value;
  };
}

/** Return a check for an object with exactly these keys. @param {Record<string, Check>} checks @returns {Check} */
export function objectOf(checks) {
  return (value, where) => {
    anyObject(value, where);
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(checks, key)) throw refuse({ within: where, key }, "there is no such key");
    }
    for (const [key, check] of Object.entries(checks)) {
      const place = { within: where, key };
      if (!Object.hasOwn(value, key)) throw refuse(place, "it is missing");
      check(value[key], place);
    }
    return value;
  };
}
