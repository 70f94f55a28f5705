/** Read evidence bundles: require their keys and their canonical form. docs/evidence.md describes the format. */

import { fromUtf8 } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { canonical, readJson } from "./json.mjs";
import { ROOMS } from "./rooms/catalogue.mjs";
import * as is from "./shape.mjs";

export const FORMAT = "tdr-evidence/1";
export const MAX_BYTES = 64 * 1024 * 1024;

const bundle = is.objectOf({
  chainId: is.whole(1),
  checkpoints: is.nullable(is.objectOf({ keys: is.arrayOf(is.text, 1), notes: is.arrayOf(is.text, 1) })),
  content: is.nullable(
    is.objectOf({
      files: is.arrayOf(
        is.objectOf({
          entry: is.anyObject,
          path: is.arrayOf(is.tupleOf(is.oneOf("left", "right"), is.bytes32)),
        }),
      ),
      manifest: is.nullable(is.anyObject),
      metadata: is.nullable(is.anyObject),
      version: is.count,
    }),
  ),
  contracts: is.objectOf(
    Object.fromEntries(ROOMS.map(({ contract, part }) => [contract, part.account ? is.nullable(is.address) : is.address])),
  ),
  datasetId: is.bytes32,
  format: is.oneOf(FORMAT),
  headers: is.arrayOf(is.arrayOf(is.data, 1), 1),
  messages: is.arrayOf(is.objectOf({ event: is.count, message: is.anyObject, signature: is.data })),
  receipts: is.arrayOf(
    is.objectOf({ block: is.count, nodes: is.arrayOf(is.data, 1), transactions: is.arrayOf(is.count, 1) }),
    1,
  ),
  record: is.objectOf({
    ...Object.fromEntries(ROOMS.map(({ part }) => [part.field, part.account ? is.arrayOf(part.check) : part.check])),
    block: is.objectOf({ hash: is.bytes32, number: is.count, time: is.count }),
    events: is.arrayOf(
      is.objectOf({
        block: is.count,
        event: is.text,
        log: is.count,
        time: is.count,
        transaction: is.count,
        values: is.anyObject,
      }),
    ),
  }),
  state: is.nullable(is.arrayOf(is.data, 1)),
});

/**
 * Read a bundle.
 *
 * @param {Uint8Array} source Byte for byte as it was issued.
 * @returns {object} The bundle as in its JSON; bytes remain hex.
 * @throws {Refused} It is not a bundle, or not in canonical form.
 */
export function parseBundle(source) {
  if (source.length > MAX_BYTES) throw new Refused(`A bundle has at most ${MAX_BYTES} bytes, not ${source.length}.`);
  const text = fromUtf8(source);
  const document = readJson(text);
  if (document?.format !== FORMAT) {
    throw new Refused(`An evidence bundle is a JSON object with "format": "${FORMAT}", but this is not.`);
  }
  bundle(document, "the bundle");
  if (canonical(document) !== text) {
    throw new Refused(
      "This bundle is not in canonical form (RFC 8785), so it is not as it was issued.",
      "Use the file as it was issued, without formatting or editing it.",
    );
  }
  return document;
}
