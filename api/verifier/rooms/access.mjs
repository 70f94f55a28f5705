/** The room of access: requests, grants and revocations. */

import { concat, fromHex, hex, toBigInt, utf8, word } from "../bytes.mjs";
import { Refused } from "../errors.mjs";
import { addressIn, decoded, topicOf } from "../events.mjs";
import { inMapping } from "../state.mjs";
import * as is from "../shape.mjs";

const GRANTS_SLOT = 2;
const RIGHTS = ["read", "derive", "aggregate", "reproduce", "distribute", "display", "extract", "index"];

/** The empty state of a grantee in the contract. */
const NOTHING = Object.freeze({ startsAt: 0, expiresAt: 0, rights: 0, epoch: 0, requests: 0, revoked: false });

const event = (name, subject, grantee, values) => ({ name, subject, account: grantee, values: { grantee, ...values } });

/** By topic: the number of indexed values, and the function that decodes the event. */
const EVENTS = new Map([
  [
    topicOf("AccessRequested(uint256,address,uint32,uint48,uint32,string)"),
    [2, ([subject, grantee], words) => event("AccessRequested", subject, addressIn(grantee), {
      rights: words.uint(0, 32),
      expiresAt: words.uint(1, 48),
      requests: words.uint(2, 32),
      purpose: words.string(3),
    })],
  ],
  [
    topicOf("AccessGranted(uint256,address,uint32,uint48,uint48,bytes32,uint32)"),
    [2, ([subject, grantee], words) => event("AccessGranted", subject, addressIn(grantee), {
      rights: words.uint(0, 32),
      startsAt: words.uint(1, 48),
      expiresAt: words.uint(2, 48),
      termsHash: words.bytes32(3),
      epoch: words.uint(4, 32),
    })],
  ],
  [
    topicOf("AccessRevoked(uint256,address,uint32)"),
    [2, ([subject, grantee], words) => event("AccessRevoked", subject, addressIn(grantee), { epoch: words.uint(0, 32) })],
  ],
]);

function fold(known, { name, subject, account, values }, time) {
  const { kept: before, isGranted, isEnded } = known ?? { kept: NOTHING, isGranted: false, isEnded: false };
  if (name === "AccessRequested" && values.requests === before.requests + 1) {
    return { kept: { ...before, requests: values.requests }, isGranted, isEnded };
  }
  if (name === "AccessGranted" && values.epoch === before.epoch + 1) {
    const { startsAt, expiresAt, rights, epoch } = values;
    const after = { startsAt, expiresAt, rights, epoch, requests: before.requests, revoked: false };
    return { kept: after, isGranted: true, isEnded: false };
  }
  if (name === "AccessRevoked" && values.epoch === before.epoch + 1 && isGranted) {
    const expiresAt = isEnded ? before.expiresAt : Math.min(before.expiresAt, time);
    return { kept: { ...before, expiresAt, epoch: values.epoch, revoked: true }, isGranted, isEnded: true };
  }
  throw new Refused(`The event ${name} cannot follow what is known of ${account} and ${subject}.`);
}

/** Return the event that a message leads to; null if it cannot have an effect. */
function expected(name, message, before, time) {
  const { epoch, requests } = before?.kept ?? NOTHING;
  const { datasetId, grantee, rights, expiresAt, termsHash } = message;
  switch (name) {
    case "AccessRequest": {
      if (message.requests !== requests) return null;
      const values = { rights, expiresAt, requests: requests + 1, purpose: utf8(message.purpose) };
      return event("AccessRequested", datasetId, grantee, values);
    }
    case "AccessGrant": {
      if (message.epoch !== epoch) return null;
      const startsAt = Math.max(message.startsAt, time); // a start in the past means the time of the event
      return event("AccessGranted", datasetId, grantee, { rights, startsAt, expiresAt, termsHash, epoch: epoch + 1 });
    }
    default:
      return message.epoch === epoch ? event("AccessRevoked", datasetId, grantee, { epoch: epoch + 1 }) : null;
  }
}

/** Return the contract's slot of 32 bytes, with the first member in the lowest bits. */
function packed({ startsAt, expiresAt, rights, epoch, requests, revoked }) {
  const last = (value, count) => word(value).subarray(32 - count);
  const members = [last(requests, 4), last(epoch, 4), last(rights, 4), last(expiresAt, 6), last(startsAt, 6)];
  return hex(concat(new Uint8Array(7), Uint8Array.of(revoked ? 1 : 0), members));
}

function difference(account, _, found) {
  const bytes = fromHex(found);
  if (toBigInt(bytes.subarray(0, 7)) || bytes[7] > 1) return `AccessGrants cannot have written the slot ${found}.`;
  return `The events of ${account} do not add up to what the contract has.`;
}

/**
 * Return each grantee's access at a time.
 *
 * @param {object} record The record of a verified bundle.
 * @param {number} time Unix seconds, UTC.
 * @returns {object[]} For each grantee shown: `grantee`; `state` of the latest grant at that time
 *   ("neverGranted", "scheduled", "active", "expired" or "revoked"); `rights` by name; `startsAt`; `expiresAt` (as it was
 *   granted); `endsAt` (when it was revoked, if that came first). Null if access was never granted.
 */
export function accessAt({ access, events }, time) {
  return access.map(({ grantee }) => {
    const grants = grantsOf(events.filter(({ values }) => values.grantee === grantee));
    const grant = grants.findLast(({ given }) => given <= time) ?? grants[0];
    if (!grant) return { grantee, state: "neverGranted", rights: [], startsAt: null, expiresAt: null, endsAt: null };
    const { startsAt, expiresAt, revokedAt, replacedAt } = grant;
    const endsAt = Math.min(expiresAt, revokedAt ?? replacedAt ?? expiresAt);
    const isRevoked = revokedAt !== null && revokedAt < expiresAt && revokedAt <= time;
    const state = isRevoked ? "revoked" : time >= endsAt ? "expired" : time < startsAt ? "scheduled" : "active";
    return { grantee, state, rights: rightsNames(grant.rights), startsAt, expiresAt, endsAt };
  });
}

/** Return all grants of a grantee, ascending. */
function grantsOf(events) {
  const grants = [];
  for (const { event, values, time } of events) {
    const last = grants.at(-1);
    const isOpen = last && last.revokedAt === null;
    if (event === "AccessRevoked" && isOpen) last.revokedAt = time;
    if (event !== "AccessGranted") continue;
    if (isOpen) last.replacedAt = time;
    const { rights, startsAt, expiresAt } = values;
    grants.push({ rights, startsAt, expiresAt, given: time, revokedAt: null, replacedAt: null });
  }
  return grants;
}

/** Return the names of the rights whose bits are set, the lowest bit first. */
function rightsNames(mask) {
  const bits = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => Math.floor(mask / 2 ** bit) % 2);
  return bits.map((bit) => RIGHTS[bit] ?? `bit-${bit}`);
}

/** @type {import("./catalogue.mjs").Room} */
export const access = {
  contract: "AccessGrants",
  references: { registry: "DatasetRegistry" },
  decode: (log) => decoded(EVENTS, log),
  fold,
  messages: {
    AccessRequest:
      "AccessRequest(uint256 datasetId,address grantee,uint32 rights,uint48 expiresAt,string purpose,uint32 requests," +
      "uint64 deadline)",
    AccessGrant:
      "AccessGrant(uint256 datasetId,address grantee,uint32 rights,uint48 startsAt,uint48 expiresAt,bytes32 termsHash," +
      "uint32 epoch,uint64 deadline)",
    AccessRevocation: "AccessRevocation(uint256 datasetId,address grantee,uint32 epoch,uint64 deadline)",
  },
  structs: {},
  checks: {},
  requireMessage(name, message) {
    if (message.rights === 0) throw new Refused("A message about access names at least one right.");
    if (name === "AccessGrant" && message.expiresAt <= message.startsAt) {
      throw new Refused("A grant ends later than it starts.");
    }
  },
  expected,
  namedSigner: (name, message) => (name === "AccessRequest" ? message.grantee : null),
  slots(subject, account, state) {
    const slot = inMapping(inMapping(word(GRANTS_SLOT), fromHex(subject)), word(fromHex(account)));
    return [[slot, packed(state?.kept ?? NOTHING)]];
  },
  difference,
  part: {
    field: "access",
    check: is.objectOf({
      epoch: is.count,
      expiresAt: is.count,
      grantee: is.address,
      requests: is.count,
      revoked: is.flag,
      rights: is.count,
      startsAt: is.count,
    }),
    make: (grantee, state) => ({ grantee, ...(state?.kept ?? NOTHING) }),
    account: ({ grantee }) => grantee,
  },
  limits: (count) => [{ kind: "others", count }],
  texts: {
    en: {
      access: ({ count }) => `No grant or revocation was left out for the grantees shown: ${count}.`,
      others: ({ count }) => `Who ${count ? `other than the ${count} named ` : ""}has access.`,
    },
    zh: {
      access: ({ count }) => `所列 ${count} 位被授权人的授权与撤销均无遗漏。`,
      others: ({ count }) => (count ? `除所列 ${count} 位之外还有谁有访问权。` : "谁有访问权。"),
    },
  },
};
