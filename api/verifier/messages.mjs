/** The signed message behind an event: that it says what the event says, and that the right one signed it. */

import { NOBODY } from "./address.mjs";
import { concat, equal, fromHex, hex, utf8, word } from "./bytes.mjs";
import { domainSeparator } from "./contracts.mjs";
import { Refused } from "./errors.mjs";
import { keccak256 } from "./keccak.mjs";
import { signer } from "./secp256k1.mjs";
import * as is from "./shape.mjs";

const MAX_TEXT_BYTES = 512;
const MAX_SOURCES = 32;
const ZERO = `0x${"0".repeat(64)}`;

/** By event, the EIP-712 struct of the message that leads to it, and the contract that takes it. */
const MESSAGES = {
  Registered: [
    "DatasetRegistry",
    "Registration(address owner,bytes32 contentRoot,bytes32 metadataHash,string uri,bytes32 salt,Source[] sources," +
      "uint64 deadline)",
  ],
  Revised: [
    "DatasetRegistry",
    "Revision(uint256 datasetId,bytes32 head,bytes32 contentRoot,bytes32 metadataHash,string uri,Source[] sources," +
      "uint64 deadline)",
  ],
  Transferred: ["DatasetRegistry", "TitleTransfer(uint256 datasetId,bytes32 head,address to,uint64 deadline)"],
  Withdrawn: ["DatasetRegistry", "Withdrawal(uint256 datasetId,bytes32 head,string reason,uint64 deadline)"],
  AccessRequested: [
    "AccessGrants",
    "AccessRequest(uint256 datasetId,address grantee,uint32 rights,uint48 expiresAt,string purpose,uint32 requests," +
      "uint64 deadline)",
  ],
  AccessGranted: [
    "AccessGrants",
    "AccessGrant(uint256 datasetId,address grantee,uint32 rights,uint48 startsAt,uint48 expiresAt,bytes32 termsHash," +
      "uint32 epoch,uint64 deadline)",
  ],
  AccessRevoked: ["AccessGrants", "AccessRevocation(uint256 datasetId,address grantee,uint32 epoch,uint64 deadline)"],
};
const SOURCE = "Source(uint256 datasetId,uint24 version)";

const text = (value, where) => {
  if (utf8(is.text(value, where)).length > MAX_TEXT_BYTES) {
    throw new Refused(`${is.placeText(where)} has more than ${MAX_TEXT_BYTES} bytes.`);
  }
};
const somebody = (value, where) => {
  if (is.address(value, where) === NOBODY) throw new Refused(`${is.placeText(where)} is the zero address.`);
};
const source = is.objectOf({ datasetId: is.bytes32, version: is.whole(1, 2 ** 24 - 1) });
const sources = (value, where) => {
  const keys = is.arrayOf(source)(value, where).map((one) => one.datasetId + hex(word(one.version)));
  if (keys.length > MAX_SOURCES || keys.some((key, at) => at > 0 && key <= keys[at - 1])) {
    throw new Refused(`${is.placeText(where)} are more than ${MAX_SOURCES}, or do not ascend strictly.`);
  }
};
const CHECKS = {
  address: somebody,
  bytes32: is.bytes32,
  string: text,
  uint24: is.whole(0, 2 ** 24 - 1),
  uint32: is.whole(0, 2 ** 32 - 1),
  uint48: is.whole(0, 2 ** 48 - 1),
  uint64: is.count,
  uint256: is.bytes32,
  "Source[]": sources,
};

/**
 * Requires that a message led to an event and was signed by the one whose right it is.
 *
 * @param {{event: object, placed: object, before: object | null}} shown The event.
 * @param {object} message The message in its JSON form.
 * @param {Uint8Array} signature
 * @param {number} chainId
 * @throws {Refused} It is malformed, says something else, or somebody else signed it.
 */
export function requireSigned({ event, placed, before }, message, signature, chainId) {
  const [contract, type] = MESSAGES[event.name];
  const fields = fieldsOf(type);
  is.objectOf(Object.fromEntries(fields.map(([kind, name]) => [name, CHECKS[kind]])))(message, "the message");
  if (message.contentRoot === ZERO) throw new Refused("A content root is never zero.");
  if (message.rights === 0) throw new Refused("A message about access names at least one right.");
  if (event.name === "AccessGranted" && message.expiresAt <= message.startsAt) {
    throw new Refused("A grant ends later than it starts.");
  }
  if (event.name === "Registered" && idOf(message) !== event.datasetId) {
    throw new Refused("The signed message registers another dataset than the event.");
  }
  if (event.name !== "Registered" && !before) throw new Refused("A dataset has no events before its registration.");

  const needed = neededFor(event, before);
  const stated = { ...message, startsAt: Math.max(message.startsAt, placed.block.time) };
  for (const [name, value] of Object.entries(needed)) {
    if (!same(stated[name], value)) throw new Refused(`The signed message has another ${name} than the event.`);
  }
  if (message.deadline < placed.block.time) {
    throw new Refused(`The signed message was valid until ${message.deadline}, before the event's block.`);
  }
  const domain = domainSeparator(contract, chainId, placed.log.address);
  const digest = keccak256(concat(Uint8Array.of(0x19, 0x01), domain, structHash(type, message)));
  const right = { Registered: event.owner, AccessRequested: event.grantee }[event.name] ?? before.owner;
  const found = signer(digest, signature);
  if (found !== right) throw new Refused(`The message was signed by ${found}, not by ${right}.`);
}

/** What the message must say, by its own names: what the event says, and the state that it acted on. */
function neededFor({ name, ...values }, before) {
  switch (name) {
    case "Registered":
      return { ...without(values, "datasetId") };
    case "Revised":
      return { ...without(values, "version"), head: before.head };
    case "Transferred":
      return { datasetId: values.datasetId, head: before.head, to: values.owner };
    case "Withdrawn":
      return { ...values, head: before.head };
    case "AccessRequested":
      return { ...values, requests: values.requests - 1 };
    default:
      return { ...values, epoch: values.epoch - 1 };
  }
}

function without(values, name) {
  const { [name]: _, ...rest } = values;
  return rest;
}

function same(stated, value) {
  if (value instanceof Uint8Array) return equal(utf8(stated), value);
  if (!Array.isArray(value)) return stated === value;
  const pairs = (list) => list.map((one) => `${one.datasetId}@${one.version}`).join();
  return pairs(stated) === pairs(value);
}

/** The id of the dataset that a registration creates. */
function idOf({ owner, contentRoot, salt }) {
  return hex(keccak256(concat(word(fromHex(owner)), fromHex(contentRoot), fromHex(salt))));
}

/** The fields of a struct's type string: kind and name of each. */
function fieldsOf(type) {
  return type
    .slice(type.indexOf("(") + 1, -1)
    .split(",")
    .map((field) => field.split(" "));
}

function structHash(type, values) {
  const fields = fieldsOf(type);
  const refers = fields.some(([kind]) => kind === "Source[]");
  return keccak256(
    concat(keccak256(utf8(refers ? type + SOURCE : type)), fields.map(([kind, name]) => encoded(kind, values[name]))),
  );
}

function encoded(kind, value) {
  if (kind === "string") return keccak256(utf8(value));
  if (kind === "Source[]") return keccak256(concat(value.map((one) => structHash(SOURCE, one))));
  return word(typeof value === "number" ? value : fromHex(value));
}
