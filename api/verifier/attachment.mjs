/**
 * Extract the evidence bundle from a file: a bundle itself, or a certificate in PDF with the bundle attached.
 *
 * A stream is always in the PDF itself, after its dictionary, and the attachment is a stream of the type EmbeddedFile.
 * Therefore it is found without reading the rest. Source: ISO 32000-1, sections 7.3.8 and 7.11.4.
 *
 * The rule is that of registry/certificate/attachment.py. By this rule a file has one bundle or none: a file with an
 * attachment that the rule cannot read is refused, because another reader might find another bundle in it.
 */

import { concat, hex } from "./bytes.mjs";
import { MAX_BYTES } from "./bundle.mjs";
import { Refused } from "./errors.mjs";
import { sha256 } from "./sha256.mjs";

export const MAX_PDF_BYTES = MAX_BYTES + 16 * 2 ** 20;
const MAX_ATTACHMENTS = 16;
const REACH = 2048; // how far a stream's dictionary goes to either side of its type
const BRACE = "{".charCodeAt(0);
const MARK = /\/EmbeddedFile(?![A-Za-z0-9])/g;
const KEYWORD = />>[\0\t\n\f\r ]*stream(?:\r\n|\n)/;
const HEAD = /^ obj[\0\t\n\f\r ]*<</;
const KEY = /\/(Length|Filter|DecodeParms)(?=[\0\t\n\f\r ()<>[\]{}/%])/g;
const LENGTH =
  /\/Length[\0\t\n\f\r ]+([0-9]{1,10})(?=[\0\t\n\f\r />])(?![\0\t\n\f\r ]+[0-9]+[\0\t\n\f\r ]+R)/;
const FLATE =
  /\/Filter[\0\t\n\f\r ]*(?:\/FlateDecode(?=[\0\t\n\f\r />])|\[[\0\t\n\f\r ]*\/FlateDecode[\0\t\n\f\r ]*\])/;
const END = /^(?:\r\n|\n|\r)?endstream/;

/** @param {Uint8Array} file @returns {Promise<Uint8Array>} @throws {Refused} It is a PDF without exactly one bundle. */
export async function bundleIn(file) {
  if (latin(file.subarray(0, 5)) !== "%PDF-") return file;
  if (file.length > MAX_PDF_BYTES) throw new Refused(`A certificate has at most ${MAX_PDF_BYTES} bytes.`);
  // Programs that extend a PDF append to it, so the same attachment may be in it twice.
  const bundles = new Map();
  for (const attachment of await attachments(file)) {
    if (attachment[0] === BRACE) bundles.set(hex(sha256(attachment)), attachment);
  }
  if (bundles.size !== 1) {
    throw new Refused(
      `A certificate has one evidence bundle as its attachment, but this PDF has ${bundles.size}.`,
      "Use the file as the registry issued it; printing it to a new PDF drops the attachment.",
      { kind: "noAttachment", count: bundles.size },
    );
  }
  return [...bundles.values()][0];
}

async function attachments(file) {
  const text = latin(file);
  const marks = [...text.matchAll(MARK)].map((match) => match.index);
  if (marks.length > MAX_ATTACHMENTS) throw new Refused(`This PDF has more than ${MAX_ATTACHMENTS} attachments.`);
  const found = [];
  let budget = MAX_BYTES;
  for (const mark of marks) {
    const content = await contentAt(file, text, mark, budget);
    if (content.length > budget) throw tooMuch();
    budget -= content.length;
    found.push(content);
  }
  return found;
}

/** Return the content of the stream whose type is at the mark. */
async function contentAt(file, text, mark, budget) {
  const before = text.slice(Math.max(0, mark - REACH), mark);
  const begin = before.lastIndexOf(" obj");
  const keyword = KEYWORD.exec(text.slice(mark, mark + REACH));
  if (begin < 0 || !keyword || !HEAD.test(before.slice(begin))) {
    throw unreadable("its dictionary is not directly before its stream");
  }
  const dictionary = before.slice(begin) + text.slice(mark, mark + keyword.index + 2);
  const keys = [...dictionary.matchAll(KEY)].map((match) => match[1]);
  const length = LENGTH.exec(dictionary);
  const times = (name) => keys.filter((key) => key === name).length;
  if (dictionary.includes("endobj") || !length || times("Length") !== 1) {
    throw unreadable("its dictionary does not give one /Length in digits");
  }
  const start = mark + keyword.index + keyword[0].length;
  const end = start + Number(length[1]);
  if (end > file.length || !END.test(text.slice(end, end + REACH))) {
    throw unreadable("its end does not match its /Length");
  }
  const content = file.subarray(start, end);
  if (keys.length === 1) return content;
  if (times("Filter") !== 1 || keys.length !== 2 || !FLATE.test(dictionary)) {
    throw unreadable("it uses another filter than a single /FlateDecode");
  }
  const unpacked = await inflated(content, budget);
  if (!unpacked) throw unreadable("its compressed data is damaged");
  // Not every engine rejects bytes after the end; but then one byte less is still enough.
  if (await inflated(content.subarray(0, -1), budget)) throw unreadable("its compressed data has more bytes after its end");
  return unpacked;
}

/** Return the decompressed data; null if it is damaged or truncated. */
async function inflated(content, budget) {
  const pieces = [];
  let length = 0;
  try {
    for await (const piece of chunks(new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate")))) {
      length += piece.length;
      if (length > budget) throw tooMuch();
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
    return null;
  }
  return concat(pieces);
}

function tooMuch() {
  return new Refused(`The attachments of this PDF have more than ${MAX_BYTES} bytes.`);
}

function unreadable(why) {
  return new Refused(
    `An attachment of this PDF cannot be read: ${why}.`,
    "Use the file as the registry issued it.",
  );
}

/** Yield the pieces of a stream, because not every browser's streams can be iterated. @param {ReadableStream<Uint8Array>} stream */
export async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

/** Return bytes as a text with one character per byte. */
function latin(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += REACH) text += String.fromCharCode(...bytes.subarray(at, at + REACH));
  return text;
}
