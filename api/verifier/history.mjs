/** What a dataset's events add up to: its head, its record, and the access of some grantees. */

import { concat, fromHex, fromUtf8, hex, utf8, word } from "./bytes.mjs";
import { Refused } from "./errors.mjs";
import { grantsEvent, registryEvent } from "./events.mjs";
import { keccak256 } from "./keccak.mjs";

const STEPS = Object.fromEntries(
  ["registration", "revision", "transfer", "withdrawal"].map((step) => [step, keccak256(utf8(`tdr.${step}`))]),
);
const HASH_BYTES = 28;

/** What AccessGrants keeps of a grantee of whom it keeps nothing. */
const NOTHING = Object.freeze({ startsAt: 0, expiresAt: 0, rights: 0, epoch: 0, requests: 0, revoked: false });

/**
 * @typedef {object} Placed
 * @property {import("./block.mjs").Log} log
 * @property {import("./block.mjs").Header} block
 * @property {number} transaction Its index in the block, from 0.
 * @property {number} index The log's index in the transaction, from 0.
 */

/**
 * Folds the events among some logs.
 *
 * @param {Placed[]} logs In the order of the chain.
 * @param {string} datasetId
 * @param {string} registry The address of DatasetRegistry.
 * @param {string | null} grants That of AccessGrants.
 * @param {string[]} grantees Whose access to show.
 * @returns {{shown: object[], dataset: object, access: Map<string, object | null>}} Each event with where it stands and
 *   the dataset just before it; the dataset after them all; what AccessGrants must keep of each grantee, null where
 *   there is no event of them.
 * @throws {Refused} There is no registration, or an event cannot follow the one before.
 */
export function historyOf(logs, datasetId, registry, grants, grantees) {
  const [registryAddress, grantsAddress] = [registry.toLowerCase(), grants?.toLowerCase()];
  const shown = [];
  const access = new Map(grantees.map((grantee) => [grantee, null]));
  let dataset = null;
  for (const placed of logs) {
    const { log } = placed;
    const isTitle = log.address === registryAddress;
    const event = isTitle ? registryEvent(log) : log.address === grantsAddress ? grantsEvent(log) : null;
    if (event?.datasetId !== datasetId) continue;
    const before = dataset;
    if (isTitle) {
      dataset = afterTitle(dataset, event);
    } else if (access.has(event.grantee)) {
      access.set(event.grantee, afterAccess(access.get(event.grantee), event, placed.block.time));
    } else {
      continue;
    }
    shown.push({ event, placed, before });
  }
  if (!dataset) throw new Refused(`The registration of the dataset ${datasetId} is not among the events.`);
  return { shown, dataset, access };
}

/** What AccessGrants must keep of a grantee. */
export function kept(history, grantee) {
  return history.access.get(grantee)?.kept ?? NOTHING;
}

/** The record as of a block that is no earlier than the last event, in the form that bundles have. */
export function recordOf(history, block) {
  const { dataset } = history;
  const latest = dataset.versions.at(-1);
  return {
    access: [...history.access.keys()].map((grantee) => ({ grantee, ...kept(history, grantee) })),
    block: { hash: block.hash, number: block.number, time: block.time },
    dataset: {
      contentRoot: latest.contentRoot,
      head: dataset.head,
      metadataHash: latest.metadataHash,
      owner: dataset.owner,
      version: dataset.versions.length,
      withdrawn: dataset.isWithdrawn,
    },
    events: history.shown.map(({ event, placed }) => {
      const { name, datasetId, ...values } = event;
      return {
        block: placed.block.number,
        event: name,
        log: placed.index,
        time: placed.block.time,
        transaction: placed.transaction,
        values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, readable(value)])),
      };
    }),
  };
}

/** A Solidity string as JSON has it: a text where its bytes are UTF-8. */
function readable(value) {
  if (!(value instanceof Uint8Array)) return value;
  try {
    return fromUtf8(value);
  } catch {
    return { hex: hex(value) };
  }
}

function afterTitle(dataset, event) {
  if (!dataset) {
    if (event.name !== "Registered") {
      throw new Refused(`The history of the dataset ${event.datasetId} does not begin with its registration.`);
    }
    const step = [fromHex(event.datasetId), word(fromHex(event.owner)), ...content(event)];
    const head = nextHead(hex(word(0)), "registration", step, { version: 1 });
    return { head, owner: event.owner, versions: [event], isWithdrawn: false };
  }
  const version = dataset.versions.length;
  if (event.name === "Revised" && event.version === version + 1) {
    const head = nextHead(dataset.head, "revision", content(event), { version: version + 1 });
    return { ...dataset, head, versions: [...dataset.versions, event] };
  }
  if (event.name === "Transferred" && event.previousOwner === dataset.owner) {
    const step = [word(fromHex(event.previousOwner)), word(fromHex(event.owner))];
    return { ...dataset, head: nextHead(dataset.head, "transfer", step), owner: event.owner };
  }
  if (event.name === "Withdrawn" && !dataset.isWithdrawn) {
    const head = nextHead(dataset.head, "withdrawal", [keccak256(event.reason)], { status: 1 });
    return { ...dataset, head, isWithdrawn: true };
  }
  throw new Refused(`The event ${event.name} cannot follow the known history of ${event.datasetId}.`);
}

function content({ contentRoot, metadataHash, uri, sources }) {
  const encoded = sources.flatMap((source) => [fromHex(source.datasetId), word(source.version)]);
  const sourcesHash = keccak256(concat(word(32), word(sources.length), encoded));
  return [fromHex(contentRoot), fromHex(metadataHash), keccak256(uri), sourcesHash];
}

/** The head after a step: 28 bytes of the hash chain, the version (3 bytes), the status (1). */
function nextHead(head, name, step, { version, status } = {}) {
  const before = fromHex(head);
  const next = keccak256(concat(before, keccak256(concat(STEPS[name], step))));
  next.set(before.subarray(HASH_BYTES), HASH_BYTES);
  if (version !== undefined) next.set(word(version).subarray(29), HASH_BYTES);
  if (status !== undefined) next[31] = status;
  return hex(next);
}

function afterAccess(known, event, time) {
  const { kept: before, isGranted, isEnded } = known ?? { kept: NOTHING, isGranted: false, isEnded: false };
  if (event.name === "AccessRequested" && event.requests === before.requests + 1) {
    return { kept: { ...before, requests: event.requests }, isGranted, isEnded };
  }
  if (event.name === "AccessGranted" && event.epoch === before.epoch + 1) {
    const { startsAt, expiresAt, rights, epoch } = event;
    const after = { startsAt, expiresAt, rights, epoch, requests: before.requests, revoked: false };
    return { kept: after, isGranted: true, isEnded: false };
  }
  if (event.name === "AccessRevoked" && event.epoch === before.epoch + 1 && isGranted) {
    const expiresAt = isEnded ? before.expiresAt : Math.min(before.expiresAt, time);
    return { kept: { ...before, expiresAt, epoch: event.epoch, revoked: true }, isGranted, isEnded: true };
  }
  throw new Refused(`The event ${event.name} cannot follow the known access of ${event.grantee} to ${event.datasetId}.`);
}
