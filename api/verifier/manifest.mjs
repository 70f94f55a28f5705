/** Manifests (format `tdr-manifest/1`): the list of a dataset's files, whose Merkle root is the content root. */

import { compareTexts, fromHex, hex, utf8 } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { canonical } from "./json.mjs";
import { sha256 } from "./sha256.mjs";

const FORMAT = "tdr-manifest/1";
const KEYS = ["format", "root", "files"];
const LONGEST_PATH = 64;
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * @typedef {object} Entry A file in the JSON of a manifest.
 * @property {string} path
 * @property {string} sha256 64 hex digits.
 * @property {number | null} size Its size in bytes; null if only the hash is known.
 * @property {string} [salt] 32 hex digits, in a private dataset.
 */

/** @param {object} document @returns {Entry[]} @throws {Refused} It is not a manifest with the root that it states. */
export function manifestEntries(document) {
  const keys = Object.keys(document);
  if (document.format !== FORMAT || keys.length !== KEYS.length || !KEYS.every((key) => keys.includes(key))) {
    throw new Refused(`A manifest is a JSON object with "format": "${FORMAT}", root and files, but this is not.`);
  }
  if (!Array.isArray(document.files) || !document.files.length) throw new Refused("A manifest lists at least one file.");
  const entries = document.files.map(checkedEntry);
  entries.forEach((entry, at) => {
    const earlier = entries[Math.max(at - 1, 0)];
    if (at && compareTexts(earlier.path, entry.path) >= 0) {
      throw new Refused(`The path ${quoted(entry.path)} does not follow ${quoted(earlier.path)} by UTF-8 bytes.`);
    }
    if ((earlier.size === null) !== (entry.size === null) || "salt" in earlier !== "salt" in entry) {
      throw new Refused(`Either all files of a manifest have a size or none, and a salt or none.`);
    }
  });
  refuseCollisions(entries.map((entry) => entry.path));
  const root = rootOf(entries);
  if (document.root !== root) throw new Refused(`The manifest states another root than its files have, ${root}.`);
  return entries;
}

/** Return the content root: the RFC 9162 root over the entries in the order of their paths. */
export function rootOf(entries) {
  let level = entries.map((entry) => sha256(LEAF, utf8(canonical(entry))));
  while (level.length > 1) {
    const next = [];
    for (let at = 0; at + 1 < level.length; at += 2) next.push(sha256(NODE, level[at], level[at + 1]));
    if (level.length % 2) next.push(level.at(-1));
    level = next;
  }
  return hex(level[0]);
}

/**
 * Require that a file is in the dataset with a content root.
 *
 * @param {object} file `entry`, and `path`: the siblings on the path to the root.
 * @param {string} root
 * @returns {Entry}
 * @throws {Refused} The file is not in the dataset.
 */
export function requireIn({ entry, path }, root) {
  checkedEntry(entry);
  if (path.length > LONGEST_PATH) throw new Refused(`A path has at most ${LONGEST_PATH} siblings.`);
  let node = sha256(LEAF, utf8(canonical(entry)));
  for (const [side, sibling] of path) {
    const other = fromHex(sibling);
    node = side === "left" ? sha256(NODE, other, node) : sha256(NODE, node, other);
  }
  if (hex(node) !== root) throw new Refused(`The path of ${quoted(entry.path)} leads to ${hex(node)}, not to ${root}.`);
  return entry;
}

/** @throws {Refused} The files are not in the order of their paths. */
export function requireAscending(paths) {
  if (paths.some((path, at) => at > 0 && compareTexts(paths[at - 1], path) >= 0)) {
    throw new Refused("The files are not in ascending order of their paths, or a path occurs twice.");
  }
}

/** Check a path. @throws {Refused} It is not allowed in a manifest. */
export function normalPath(path) {
  const normal = path.normalize("NFC");
  checkPath(normal);
  return normal;
}

/** @throws {Refused} Two paths are the same name on systems that ignore case or Unicode form. */
export function refuseCollisions(paths) {
  const spellings = new Map();
  const claim = (spelling) => {
    const key = folded(spelling.replace(/\/$/, ""));
    if (spellings.has(key)) {
      throw new Refused(`${quoted(spellings.get(key))} and ${quoted(spelling)} are one name on some systems.`);
    }
    spellings.set(key, spelling);
  };
  const folders = new Set();
  for (const path of paths) {
    claim(path);
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end + 1);
      if (folders.has(folder)) break;
      folders.add(folder);
      claim(folder);
    }
  }
}

function checkedEntry(entry) {
  const { path, sha256: digest, size, salt } = Object(entry);
  const isSize = size === null || (Number.isSafeInteger(size) && size >= 0);
  const isSalt = salt === undefined || (typeof salt === "string" && /^[0-9a-f]{32}$/.test(salt));
  const isDigest = typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest);
  const isExact = Object.keys(Object(entry)).length === (salt === undefined ? 3 : 4);
  if (typeof path !== "string" || !isDigest || !isSize || !isSalt || !isExact) {
    throw new Refused("A file's entry has a path, a sha256 and a size, and may have a salt.");
  }
  checkPath(path);
  return entry;
}

function checkPath(path) {
  const isBad =
    !path.isWellFormed() ||
    path.normalize("NFC") !== path ||
    /[\0\\]/.test(path) ||
    /^[A-Za-z]:(?:\/|$)/.test(path) ||
    path.split("/").some((name) => name === "" || name === "." || name === "..");
  if (isBad) throw new Refused(`The path ${quoted(path)} may not stand in a manifest.`);
}

/**
 * Return a key that is equal for all spellings that differ only by case or Unicode form.
 *
 * It equates exactly the letters with the same fold in Unicode's CaseFolding, except for the dotless i, which has the
 * capital of another letter.
 */
function folded(name) {
  const fold = (letter) => (letter === "ı" ? letter : letter.toLowerCase().toUpperCase().toLowerCase());
  return Array.from(name, fold).join("").normalize("NFC");
}

function quoted(path) {
  return JSON.stringify(path);
}
