/**
 * Unambiguous JSON: read strictly, and written in the canonical form of RFC 8785.
 *
 * `JSON.parse` takes the last of two equal keys, accepts any depth, and rounds numbers silently. Here these are errors.
 */

import { fromUtf8, hex } from "./bytes.mjs";
import { Refused } from "./errors.mjs";

const MAX_DEPTH = 64;
const SPACES = " \t\n\r";
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const INTEGER = /^-?[0-9]+$/;
const UNICODE = /[0-9a-fA-F]{4}/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = [["true", true], ["false", false], ["null", null]];

/**
 * Read a JSON text.
 *
 * @param {string} text
 * @returns {unknown} Objects have no prototype, so that every key is an ordinary one.
 * @throws {Refused} It is not JSON, names a key twice, is nested deeper than 64, or contains a number that is not exactly a double.
 */
export function readJson(text) {
  let at = 0;

  const take = (pattern) => {
    const start = at;
    pattern.lastIndex = at;
    if (!pattern.test(text)) throw malformed();
    at = pattern.lastIndex;
    return text.slice(start, at);
  };
  const skipSpaces = () => {
    while (at < text.length && SPACES.includes(text[at])) at += 1;
  };
  const malformed = () => new Refused(`This is not valid JSON, from character ${at} on.`);
  const accept = (character) => {
    skipSpaces();
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const expect = (character) => {
    if (!accept(character)) throw malformed();
  };

  const string = () => {
    let value = "";
    for (;;) {
      value += take(PLAIN);
      const next = text[at++];
      if (next === '"') return value;
      if (next !== "\\") throw malformed();
      const escape = text[at++];
      if (escape === "u") value += String.fromCharCode(parseInt(take(UNICODE), 16));
      else if (escape in ESCAPES) value += ESCAPES[escape];
      else throw malformed();
    }
  };

  const number = () => {
    const written = take(NUMBER);
    const value = Number(written);
    if (!Number.isFinite(value)) throw new Refused("A number is too large for JSON's double precision.");
    // Readers with exact integers and readers with doubles would read different numbers.
    if (INTEGER.test(written) && !Number.isSafeInteger(value)) {
      throw new Refused(`The integer ${written.slice(0, 40)} is too large to be read exactly everywhere.`);
    }
    return value;
  };

  const array = (depth) => {
    const values = [];
    if (accept("]")) return values;
    do values.push(any(depth));
    while (accept(","));
    expect("]");
    return values;
  };

  const object = (depth) => {
    const values = Object.create(null);
    if (accept("}")) return values;
    do {
      expect('"');
      const key = string();
      if (key in values) throw new Refused(`The key ${JSON.stringify(key)} appears twice in one JSON object.`);
      expect(":");
      values[key] = any(depth);
    } while (accept(","));
    expect("}");
    return values;
  };

  const any = (depth) => {
    skipSpaces();
    const lead = text[at];
    if (lead === '"') {
      at += 1;
      return string();
    }
    if (lead === "{" || lead === "[") {
      if (depth === 0) throw new Refused(`This JSON value is nested deeper than ${MAX_DEPTH} levels.`);
      at += 1;
      return lead === "{" ? object(depth - 1) : array(depth - 1);
    }
    for (const [word, value] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return value;
      }
    }
    return number();
  };

  const value = any(MAX_DEPTH);
  skipSpaces();
  if (at !== text.length) throw malformed();
  return value;
}

/**
 * Return the canonical text of a JSON value.
 *
 * A large integer is refused although RFC 8785 has a form for it: readers with exact integers would read a different
 * number.
 *
 * @throws {Refused} The value contains a lone surrogate or such a number.
 */
export function canonical(value) {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Refused("A text holds a lone surrogate, which UTF-8 does not have.");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    const size = Math.abs(value);
    if (size > Number.MAX_SAFE_INTEGER && size < 1e21) throw new Refused(`${value} is too large to be written exactly.`);
    return String(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const keys = Object.keys(value).sort(); // by UTF-16 code units, as RFC 8785 has it
  return `{${keys.map((key) => `${canonical(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** Return a Solidity string as JSON: a text if its bytes are UTF-8, otherwise an object with its hex. */
export function readable(value) {
  if (!(value instanceof Uint8Array)) return value;
  try {
    return fromUtf8(value);
  } catch {
    return { hex: hex(value) };
  }
}
