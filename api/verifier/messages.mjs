/** Check that a signed message leads to its event and was signed by the authorised account. */

import { ZERO_ADDRESS } from "./address.mjs";
import { concat, hex, utf8 } from "./bytes.mjs";
import { domainSeparator, fieldsOf, structHash } from "./eip712.mjs";
import { Refused } from "./errors.mjs";
import { canonical } from "./json.mjs";
import { keccak256 } from "./keccak.mjs";
import { MAIN } from "./rooms/catalogue.mjs";
import { signer } from "./secp256k1.mjs";
import * as is from "./shape.mjs";

const MAX_TEXT_BYTES = 512;

const text = (value, where) => {
  if (utf8(is.text(value, where)).length > MAX_TEXT_BYTES) {
    throw new Refused(`${is.placeText(where)} has more than ${MAX_TEXT_BYTES} bytes.`);
  }
};
const notZeroAddress = (value, where) => {
  if (is.address(value, where) === ZERO_ADDRESS) throw new Refused(`${is.placeText(where)} is the zero address.`);
};
const CHECKS = {
  address: notZeroAddress,
  bytes32: is.bytes32,
  string: text,
  uint24: is.whole(0, 2 ** 24 - 1),
  uint32: is.whole(0, 2 ** 32 - 1),
  uint48: is.whole(0, 2 ** 48 - 1),
  uint64: is.count,
  uint256: is.bytes32,
};

/**
 * Require that a message led to an event and was signed by the authorised account.
 *
 * A bundle does not name the type of the message. It is the type in the event's room that has these members and leads
 * to the event.
 *
 * @param {import("./history.mjs").Shown} shown The event.
 * @param {object} message The message in its JSON form.
 * @param {Uint8Array} signature
 * @param {number} chainId
 * @throws {Refused} It is malformed, leads to another event or had expired, or another account signed it.
 */
export function requireSigned(shown, message, signature, chainId) {
  const { placed, room, subjectBefore } = shown;
  const name = nameOf(shown, message);
  if (room.part.account && !subjectBefore) throw new Refused("A subject has no events before its registration.");
  if (message.deadline < placed.block.time) {
    throw new Refused(`The signed message was valid until ${message.deadline}, before the event's block.`);
  }
  const authorised = room.namedSigner(name, message) ?? (subjectBefore && MAIN.owner(subjectBefore));
  if (!authorised) throw new Refused("A subject has no owner before its registration.");
  const domain = domainSeparator(room.contract, chainId, placed.log.address);
  const hash = structHash(room.messages[name], message, room.structs);
  const found = signer(keccak256(concat(Uint8Array.of(0x19, 0x01), domain, hash)), signature);
  if (found !== authorised) throw new Refused(`The message was signed by ${found}, not by ${authorised}.`);
}

/** Return the name of the message that has these members and leads to the event. */
function nameOf(shown, message) {
  const members = Object.keys(message).sort().join();
  let differs = null;
  for (const [name, type] of Object.entries(shown.room.messages)) {
    const fields = fieldsOf(type);
    if (fields.map(([, field]) => field).sort().join() !== members) continue;
    const checks = { ...CHECKS, ...shown.room.checks };
    is.objectOf(Object.fromEntries(fields.map(([kind, field]) => [field, checks[kind]])))(message, "the message");
    shown.room.requireMessage(name, message);
    differs = difference(shown, name, message);
    if (differs === null) return name;
  }
  throw differs ?? new Refused("The event's room has no message with exactly these members.");
}

/** Return why a message does not lead to an event; null if it does. */
function difference({ event, placed, room, before }, name, message) {
  const expected = room.expected(name, message, before, placed.block.time);
  if (!expected) return new Refused(`The signed message (${name}) does not follow the state before the event.`);
  if (expected.name !== event.name) return new Refused(`The signed message (${name}) leads to another event.`);
  if (expected.subject !== event.subject || expected.account !== event.account) {
    return new Refused("The signed message is about another subject or account than the event.");
  }
  const other = Object.keys(event.values).find((key) => comparable(expected.values[key]) !== comparable(event.values[key]));
  return other === undefined ? null : new Refused(`The signed message has another ${other} than the event.`);
}

function comparable(value) {
  return value instanceof Uint8Array ? hex(value) : canonical(value);
}
