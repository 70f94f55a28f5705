/** Files at hand, compared with what a verified bundle shows of the dataset. */

import { compareTexts } from "./bytes.mjs";
import { refuseCollisions, rootOf } from "./manifest.mjs";

/**
 * @typedef {object} Difference
 * @property {string} path "." for the content as a whole.
 * @property {string | null} expected SHA-256 in hex of what was registered; null: the file is extra.
 * @property {string | null} found SHA-256 in hex of what is there; null: it is missing.
 */

/**
 * Compares files with a verified dataset.
 *
 * A single file is compared with the one of its name, wherever it stands in the dataset; of a folder, every file is.
 *
 * @param {object} verified What `verify` returned.
 * @param {import("./manifest.mjs").Entry[]} found The files at hand, without salts.
 * @param {boolean} isFolder
 * @returns {{differences: Difference[], matched: number, notProven: object[]}}
 * @throws {Refused} Two of the files have one name where case does not count.
 */
export function compareContent(verified, found, isFolder) {
  const files = [...found].sort((one, other) => compareTexts(one.path, other.path));
  refuseCollisions(files.map((file) => file.path));
  const shown = verified.entries ?? verified.files;
  if (!shown.length) return compareRoot(verified.contentRoot, files);
  return isFolder && verified.entries ? compareFolder(verified.entries, files) : compareEach(verified, shown, files);
}

/** The same files have two forms: with their sizes, and without, as in a list by sha256sum. */
function compareRoot(expected, files) {
  const root = rootOf(files);
  if (expected === root || expected === rootOf(files.map((file) => ({ ...file, size: null })))) {
    return { differences: [], matched: files.length, notProven: [] };
  }
  const difference = { path: ".", expected: expected.slice(2), found: root.slice(2) };
  return { differences: [difference], matched: 0, notProven: [{ kind: "unnamed" }] };
}

function compareFolder(entries, files) {
  const expected = new Map(entries.map((entry) => [entry.path, entry]));
  const found = new Map(files.map((file) => [file.path, file]));
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort(compareTexts);
  const differences = paths
    .filter((path) => !isSame(expected.get(path), found.get(path)))
    .map((path) => difference(path, expected.get(path), found.get(path)));
  return { differences, matched: paths.length - differences.length, notProven: [] };
}

/** The files given, each with the one shown that has its path, or its name where only one file is given. */
function compareEach(verified, shown, files) {
  const differences = [];
  for (const file of files) {
    const named = shown.filter(({ path }) => path === file.path || (files.length === 1 && path.endsWith(`/${file.path}`)));
    if (!named.some((entry) => isSame(entry, file))) differences.push(difference(file.path, named[0], file));
  }
  const rest = verified.entries ? shown.length - files.length : 0;
  return {
    differences,
    matched: files.length - differences.length,
    notProven: rest > 0 ? [{ kind: "rest", count: rest }] : [],
  };
}

function isSame(entry, file) {
  return Boolean(entry && file) && entry.sha256 === file.sha256 && (entry.size === null || entry.size === file.size);
}

function difference(path, expected, found) {
  return { path, expected: expected?.sha256 ?? null, found: found?.sha256 ?? null };
}
