/** Compare local files with the content that a verified bundle shows. */

import { compareTexts } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { refuseCollisions, rootOf } from "./manifest.mjs";

/**
 * @typedef {object} Difference
 * @property {string} path "." for the content as a whole.
 * @property {string | null} expected SHA-256 in hex of what was registered; null: the file is extra.
 * @property {string | null} found SHA-256 in hex of what is there; null: it is missing.
 */

/**
 * Compare files with a verified dataset.
 *
 * A folder is compared with everything that the bundle shows. Files without a folder are compared each with the file of
 * the same path, and a single file with the file of the same name in any folder of the dataset.
 *
 * @param {object} verified The result of `verify`.
 * @param {import("./manifest.mjs").Entry[]} found The local files, without salts.
 * @param {boolean} isFolder
 * @returns {{differences: Difference[], matched: number, notProven: object[]}}
 * @throws {Refused} Two of the files have the same name if case is ignored, or for a single file the bundle does not show
 *   exactly one.
 */
export function compareContent(verified, found, isFolder) {
  const files = [...found].sort((one, other) => compareTexts(one.path, other.path));
  refuseCollisions(files.map((file) => file.path));
  const { entries, files: shown } = verified;
  if (!entries && !shown.length) return compareRoot(verified.summary.contentRoot, files);
  if (!isFolder && files.length === 1) return compareOne(entries ?? shown, files[0], Boolean(entries));
  if (!isFolder) return compareEach(entries ?? shown, files, Boolean(entries));
  return entries ? compareAll(entries, files) : compareShown(shown, files);
}

const MOST_NAMED = 5;

/** Files have two forms: with their sizes, and without, as in a list by sha256sum. */
function compareRoot(expected, files) {
  const root = rootOf(files);
  if (expected === root || expected === rootOf(files.map((file) => ({ ...file, size: null })))) {
    return { differences: [], matched: files.length, notProven: [] };
  }
  const difference = { path: ".", expected: expected.slice(2), found: root.slice(2) };
  return { differences: [difference], matched: 0, notProven: [{ kind: "unnamed" }] };
}

function compareAll(entries, files) {
  const expected = new Map(entries.map((entry) => [entry.path, entry]));
  const found = new Map(files.map((file) => [file.path, file]));
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort(compareTexts);
  const differences = paths
    .filter((path) => !isSame(expected.get(path), found.get(path)))
    .map((path) => difference(path, expected.get(path), found.get(path)));
  return { differences, matched: paths.length - differences.length, notProven: [] };
}

/** Compare a folder with the files that the bundle shows; it does not cover other files in the folder. */
function compareShown(shown, files) {
  const paths = new Set(shown.map((entry) => entry.path));
  const compared = compareAll(shown, files.filter((file) => paths.has(file.path)));
  const others = files.filter((file) => !paths.has(file.path)).map(({ path }) => path);
  const named = others.slice(0, MOST_NAMED).map((path) => JSON.stringify(path)).join(", ");
  const names = others.length > MOST_NAMED ? `${named}, ...` : named;
  const unchecked = others.length ? [{ kind: "unchecked", count: others.length, names }] : [];
  return { ...compared, notProven: [...unchecked, { kind: "unshown" }] };
}

/** Compare a single file. In a dataset of one file it is the whole dataset, whatever its name. */
function compareOne(shown, file, isManifest) {
  const named = shown.filter(({ path }) => path === file.path || path.endsWith(`/${file.path}`));
  if (!named.length && isManifest && shown.length === 1) return compareAll(shown, [file]);
  if (named.length !== 1) {
    throw new Refused(
      `The bundle shows ${named.length} files with the name ${JSON.stringify(file.path)}, but expected exactly one.`,
      "Name the folder for all.",
      { kind: "notOneFile", count: named.length, path: file.path },
    );
  }
  const differences = isSame(named[0], file) ? [] : [difference(named[0].path, named[0], file)];
  return { differences, matched: 1 - differences.length, notProven: notGiven(shown, 1, isManifest) };
}

/** Compare files without a folder. A manifest lists all files, so a file that it lacks is extra. */
function compareEach(shown, files, isManifest) {
  const differences = [];
  for (const file of files) {
    const named = shown.find(({ path }) => path === file.path);
    if (!named && !isManifest) {
      const reason = { kind: "notOneFile", count: 0, path: file.path };
      throw new Refused(`The bundle shows no file named ${JSON.stringify(file.path)}.`, "", reason);
    }
    if (!isSame(named, file)) differences.push(difference(file.path, named, file));
  }
  return {
    differences,
    matched: files.length - differences.length,
    notProven: notGiven(shown, files.length, isManifest),
  };
}

function notGiven(shown, given, isManifest) {
  if (!isManifest) return [{ kind: "unshown" }];
  const rest = shown.length - given;
  return rest > 0 ? [{ kind: "rest", count: rest }] : [];
}

function isSame(entry, file) {
  return Boolean(entry && file) && entry.sha256 === file.sha256 && (entry.size === null || entry.size === file.size);
}

function difference(path, expected, found) {
  return { path, expected: expected?.sha256 ?? null, found: found?.sha256 ?? null };
}
