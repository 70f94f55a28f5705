/** What a verified record says at a glance: which version, whose, since when, whether it still holds, who may use it. */

import { dayText } from "./sentences.mjs";

const RIGHTS = ["read", "derive", "aggregate", "reproduce", "distribute", "display", "extract", "index"];

/**
 * The summary of a version of a dataset. Times are Unix seconds, UTC.
 *
 * @param {object} record The record of a verified bundle.
 * @param {number} version The version's number.
 * @returns {object} `version`, `latestVersion`, `isLatest`, `contentRoot`; `registrant` (who owned the dataset when the
 *   version was registered), `registeredBlock`, `registeredAt`; `firstOwner`, `owner`; `status` ("active" or
 *   "withdrawn"), `withdrawnAt` (or null).
 */
export function summaryOf({ dataset, events }, version) {
  let [owner, made] = [null, null];
  let [firstOwner, withdrawnAt] = [null, null];
  for (const { event, values, block, time } of events) {
    if (event === "Registered") firstOwner = owner = values.owner;
    if (event === "Transferred") owner = values.owner;
    if (event === "Withdrawn") withdrawnAt = time;
    if ((event === "Registered" ? 1 : event === "Revised" ? values.version : 0) === version) {
      made = { contentRoot: values.contentRoot, registrant: owner, registeredBlock: block, registeredAt: time };
    }
  }
  return {
    version,
    latestVersion: dataset.version,
    isLatest: version === dataset.version,
    ...made,
    firstOwner,
    owner,
    status: withdrawnAt === null ? "active" : "withdrawn",
    withdrawnAt,
  };
}

/**
 * Each grantee's access at a time.
 *
 * @param {object} record The record of a verified bundle.
 * @param {number} time Unix seconds, UTC.
 * @returns {object[]} Of each grantee shown: `grantee`; `state`, what has become of their latest grant by that time
 *   ("neverGranted", "scheduled", "active", "expired" or "revoked"); `rights` by name; `startsAt`; `expiresAt` (as it was
 *   granted); `endsAt` (when it was revoked, if that came first). Null where nothing was ever granted.
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

/** All grants of a grantee, the first first. */
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

/** The names of the rights whose bits are set, the lowest bit first. */
function rightsNames(mask) {
  const bits = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => Math.floor(mask / 2 ** bit) % 2);
  return bits.map((bit) => RIGHTS[bit] ?? `bit-${bit}`);
}

/** The verdict on what was verified, with what a reader must not overlook. */
export function headline({ version, latestVersion, isLatest, withdrawnAt }) {
  const buts = [
    ...(isLatest ? [] : [`VERSION ${version} OF ${latestVersion}`]),
    ...(withdrawnAt === null ? [] : [`WITHDRAWN ON ${dayText(withdrawnAt)}`]),
  ];
  return buts.length ? `VERIFIED, BUT ${buts.join(" AND ")}` : "VERIFIED";
}
