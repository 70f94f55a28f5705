/**
 * The evidence bundle in what a reader holds: a bundle itself, or a certificate in PDF that has it attached.
 *
 * A stream stands in a PDF by itself, its dictionary before it, and an attachment is a stream of the type EmbeddedFile:
 * so it is found without reading the rest. Source: ISO 32000-1, sections 7.3.8 and 7.11.4.
 */

import { concat, hex } from "./bytes.mjs";
import { MAX_BYTES } from "./bundle.mjs";
import { Refused } from "./errors.mjs";
import { sha256 } from "./sha256.mjs";

const MAX_PDF_BYTES = MAX_BYTES + 16 * 2 ** 20;
const MAX_ATTACHMENTS = 16;
const REACH = 2048; // how far a stream's dictionary goes to either side of its type
const BRACE = "{".charCodeAt(0);

/** @param {Uint8Array} file @returns {Promise<Uint8Array>} @throws {Refused} It is a PDF without exactly one bundle. */
export async function bundleIn(file) {
  if (latin(file.subarray(0, 5)) !== "%PDF-") return file;
  if (file.length > MAX_PDF_BYTES) throw new Refused(`A certificate has at most ${MAX_PDF_BYTES} bytes.`);
  // Who adds to a PDF appends, so the same attachment may come to stand in it twice.
  const bundles = new Map();
  for (const attachment of await attachments(file)) {
    if (attachment[0] === BRACE) bundles.set(hex(sha256(attachment)), attachment);
  }
  if (bundles.size !== 1) {
    throw new Refused(
      `A certificate holds one evidence bundle as its attachment, but this PDF holds ${bundles.size}.`,
      "Use the file as the registry issued it; printing it to a new PDF drops the attachment.",
    );
  }
  return [...bundles.values()][0];
}

async function attachments(file) {
  const text = latin(file);
  const marks = [...text.matchAll(/\/EmbeddedFile(?![A-Za-z0-9])/g)].map((match) => match.index);
  if (marks.length > MAX_ATTACHMENTS) throw new Refused(`This PDF has more than ${MAX_ATTACHMENTS} attachments.`);
  const found = [];
  for (const mark of marks) {
    const begin = text.lastIndexOf(" obj", mark);
    const keyword = text.indexOf("stream", mark);
    if (begin < 0 || keyword < 0 || mark - begin > REACH || keyword - mark > REACH) continue;
    const dictionary = text.slice(begin, keyword);
    const start = keyword + 6 + (text.startsWith("\r\n", keyword + 6) ? 2 : 1);
    const length = /\/Length\s+(\d{1,10})(?!\d|\s+\d+\s+R)/.exec(dictionary);
    if (!length || start + Number(length[1]) > file.length) continue;
    const content = file.subarray(start, start + Number(length[1]));
    if (!dictionary.includes("/Filter")) found.push(content);
    else if (/\/Filter\s*\[?\s*\/FlateDecode\s*\]?/.test(dictionary) && !dictionary.includes("/DecodeParms")) {
      found.push(await inflated(content));
    }
  }
  return found;
}

/** What zlib compressed; empty where it is damaged. */
async function inflated(content) {
  const pieces = [];
  let length = 0;
  try {
    for await (const piece of chunks(new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate")))) {
      length += piece.length;
      if (length > MAX_BYTES) throw new Refused(`The attachment of this PDF has more than ${MAX_BYTES} bytes.`);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
    return new Uint8Array();
  }
  return concat(pieces);
}

/** The pieces of a stream; not every browser's streams can be iterated. @param {ReadableStream<Uint8Array>} stream */
export async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

/** Bytes as the text that has one character for each. */
function latin(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += REACH) text += String.fromCharCode(...bytes.subarray(at, at + REACH));
  return text;
}
