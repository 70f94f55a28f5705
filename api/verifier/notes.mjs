/**
 * Signed notes that state the block at a height, and the keys that sign them.
 *
 * Source: C2SP signed-note and tlog-cosignature (https://c2sp.org).
 */

import { hex, toBigInt, utf8 } from "./bytes.mjs";
import { isSigned } from "./ed25519.mjs";
import { Refused } from "./errors.mjs";
import { sha256 } from "./sha256.mjs";

const MAX_NOTE_CHARACTERS = 64 * 1024;
const MAX_SIGNATURES = 64;
const MAX_KEY_CHARACTERS = 1000;
const SIGNS_NOTE = 0x01;
const COSIGNS = 0x04;
const DASH = "\u2014 ";
/** No white space (Unicode's, and the separators U+001C to U+001F) and no plus. */
const NAME = /^[^\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]{1,200}$/u;
const CONTROLS = /[\u0000-\u0009\u000b-\u001f]/;
const CHECKPOINT =
  /^tdr-checkpoint\/1\nchain (0|[1-9][0-9]{0,14})\nheight (0|[1-9][0-9]{0,14})\nblock (0x[0-9a-f]{64})\n$/;

/**
 * Read a key: its name, +, its id, +, its kind and bytes in base64.
 *
 * @param {string} text
 * @returns {{name: string, kind: number, bytes: Uint8Array, id: string}} `id` names it in signature lines.
 * @throws {Refused} It has another form, or the id is not the key's.
 */
export function parseKey(text) {
  const [, name, id, encoded] = (text.length < MAX_KEY_CHARACTERS && /^([^+]*)\+([^+]*)\+(.*)$/su.exec(text)) || [];
  const raw = encoded === undefined ? new Uint8Array() : fromBase64(encoded);
  if (raw.length !== 33 || (raw[0] !== SIGNS_NOTE && raw[0] !== COSIGNS) || !NAME.test(name)) {
    throw new Refused(`A key is a name, + and 8 hex digits, + and an Ed25519 key in base64: ${text.slice(0, 120)}`);
  }
  const found = hex(sha256(utf8(`${name}\n`), raw).subarray(0, 4)).slice(2);
  if (found !== id) throw new Refused(`The key of ${name} has the id ${found}, not ${id.slice(0, 20)}.`);
  return { name, kind: raw[0], bytes: raw.subarray(1), id: `${name} ${id}` };
}

/**
 * Read a signed note that states a checkpoint. It proves nothing until a signature is verified.
 *
 * @param {string} source
 * @returns {{text: string, chainId: number, height: number, block: string, lines: object[]}} Each of `lines` has the
 *   `id` of its key and the `signature`.
 * @throws {Refused} It is not a checkpoint.
 */
export function parseCheckpoint(source) {
  if (source.length > 2 * MAX_NOTE_CHARACTERS || [...source].length > MAX_NOTE_CHARACTERS || CONTROLS.test(source)) {
    throw new Refused(`A signed note has at most ${MAX_NOTE_CHARACTERS} characters and no control characters.`);
  }
  const gap = source.lastIndexOf("\n\n");
  if (gap < 0 || !source.endsWith("\n") || source.length < gap + 3) {
    throw new Refused("A signed note is a text, an empty line and signature lines.");
  }
  const text = source.slice(0, gap + 1);
  const rows = source.slice(gap + 2, -1).split("\n");
  if (rows.length > MAX_SIGNATURES) throw new Refused(`A signed note has at most ${MAX_SIGNATURES} signatures.`);
  const lines = rows.map(signatureLine);
  const stated = CHECKPOINT.exec(text);
  if (!stated) throw new Refused("The note states no checkpoint.");
  return { text, chainId: Number(stated[1]), height: Number(stated[2]), block: stated[3], lines };
}

/** Require a valid signature. @throws {Refused} The note is not signed with the key. */
export function requireSignedBy(note, key) {
  const line = note.lines.find((one) => one.id === key.id);
  if (!line) throw new Refused(`The note is not signed by ${key.name}.`);
  let message = note.text;
  let signature = line.signature;
  if (key.kind === COSIGNS) {
    message = `cosignature/v1\ntime ${toBigInt(signature.subarray(0, 8))}\n${message}`;
    signature = signature.subarray(8);
  }
  if (!isSigned(key.bytes, signature, utf8(message))) {
    throw new Refused(`The signature of ${key.name} below the note is not valid.`);
  }
}

/**
 * Return the checkpoints of a bundle after verifying all signatures. Trust in the signers is not decided here.
 *
 * @param {{keys: string[], notes: string[]}} checkpoints
 * @param {number} chainId
 * @param {Map<number, string>} blocks The hash at each height that a checkpoint may be for.
 */
export function checkedNotes(checkpoints, chainId, blocks) {
  const keys = new Map(checkpoints.keys.map(parseKey).map((key) => [key.id, key]));
  if (keys.size !== checkpoints.keys.length) throw new Refused("The checkpoints have a key twice.");
  const notes = checkpoints.notes.map(parseCheckpoint);
  if (notes.some((note, at) => at > 0 && note.height <= notes[at - 1].height)) {
    throw new Refused("The checkpoints are not in ascending order of their heights.");
  }
  for (const note of notes) {
    if (note.chainId !== chainId || blocks.get(note.height) !== note.block) {
      throw new Refused(`The checkpoint at height ${note.height} is not for a block of this bundle.`);
    }
  }
  const signers = new Set(notes.flatMap((note) => note.lines.map((line) => line.id)));
  const isExact = signers.size === keys.size && [...signers].every((id) => keys.has(id));
  if (!isExact || notes.some((note) => new Set(note.lines.map((line) => line.id)).size !== note.lines.length)) {
    throw new Refused("The keys of the checkpoints are not exactly those of their signatures.");
  }
  for (const note of notes) for (const line of note.lines) requireSignedBy(note, keys.get(line.id));
  return notes;
}

export function isCosigner(key) {
  return key.kind === COSIGNS;
}

function signatureLine(row) {
  const space = row.indexOf(" ", DASH.length);
  const name = row.slice(DASH.length, space < 0 ? undefined : space);
  if (!row.startsWith(DASH) || !NAME.test(name)) throw new Refused("A signature line is a dash, a name and base64.");
  const raw = fromBase64(space < 0 ? "" : row.slice(space + 1));
  if (raw.length <= 4) throw new Refused(`The signature of ${name} is cut short.`);
  return { id: `${name} ${hex(raw.subarray(0, 4)).slice(2)}`, signature: raw.subarray(4) };
}

/** Decode base64 in its canonical form. */
function fromBase64(text) {
  try {
    const decoded = atob(text);
    if (text && btoa(decoded) === text) return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
  } catch {
    // It is not base64 at all.
  }
  throw new Refused(`This is not base64 in its one canonical form: ${text.slice(0, 80)}`);
}
