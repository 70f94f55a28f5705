/** The room of datasets: titles, versions, and the head that commits to them. */

import { concat, fromHex, hex, toBigInt, utf8, word } from "../bytes.mjs";
import { Refused } from "../errors.mjs";
import { addressIn, decoded, topicOf } from "../events.mjs";
import { readable } from "../json.mjs";
import { keccak256 } from "../keccak.mjs";
import { inMapping } from "../state.mjs";
import * as is from "../shape.mjs";
import { dayText, timeText } from "../times.mjs";

const CONTRACT = "DatasetRegistry";
const HEADS_SLOT = 8;
const HASH_BYTES = 28;
const MAX_SOURCE_BITS = 24;
const MAX_SOURCES = 32;
const ZERO_WORD = `0x${"0".repeat(64)}`;
const STEPS = Object.fromEntries(
  ["registration", "revision", "transfer", "withdrawal"].map((step) => [step, keccak256(utf8(`tdr.${step}`))]),
);

const event = (name, subject, values) => ({ name, subject, account: null, values });

/** By topic: the number of indexed values, and the function that decodes the event. */
const EVENTS = new Map([
  [
    topicOf("Registered(uint256,address,bytes32,bytes32,bytes32,string,(uint256,uint24)[])"),
    [3, ([subject, owner, contentRoot], words) => event("Registered", subject, {
      owner: addressIn(owner),
      contentRoot,
      metadataHash: words.bytes32(0),
      salt: words.bytes32(1),
      uri: words.string(2),
      sources: sources(words, 3),
    })],
  ],
  [
    topicOf("Revised(uint256,uint24,bytes32,bytes32,string,(uint256,uint24)[])"),
    [3, ([subject, version, contentRoot], words) => event("Revised", subject, {
      version: Number(toBigInt(fromHex(version))),
      contentRoot,
      metadataHash: words.bytes32(0),
      uri: words.string(1),
      sources: sources(words, 2),
    })],
  ],
  [
    topicOf("Transfer(address,address,uint256)"),
    // A transfer from the zero address is the mint before a registration, whose event says everything.
    [3, ([previousOwner, owner, subject]) => previousOwner === ZERO_WORD ? null : event("Transferred", subject, {
      previousOwner: addressIn(previousOwner),
      owner: addressIn(owner),
    })],
  ],
  [
    topicOf("Withdrawn(uint256,string)"),
    [1, ([subject], words) => event("Withdrawn", subject, { reason: words.string(0) })],
  ],
]);

function sources(words, index) {
  const [start, length] = words.tailAt(index);
  const found = [];
  for (let at = start; at < start + 2 * length; at += 2) {
    const version = words.uint(at + 1, MAX_SOURCE_BITS);
    if (version === 0) throw new Refused("The versions of sources count from 1.");
    found.push({ datasetId: words.bytes32(at), version });
  }
  return found;
}

function fold(dataset, { name, subject, values }) {
  if (!dataset) {
    if (name !== "Registered") {
      throw new Refused(`The history of the dataset ${subject} does not begin with its registration.`);
    }
    const step = [fromHex(subject), word(fromHex(values.owner)), ...content(values)];
    const head = nextHead(ZERO_WORD, "registration", step, { version: 1 });
    return { subject, head, owner: values.owner, versions: [values], isWithdrawn: false };
  }
  const version = dataset.versions.length;
  if (name === "Revised" && values.version === version + 1) {
    const head = nextHead(dataset.head, "revision", content(values), { version: version + 1 });
    return { ...dataset, head, versions: [...dataset.versions, values] };
  }
  if (name === "Transferred" && values.previousOwner === dataset.owner) {
    const step = [word(fromHex(values.previousOwner)), word(fromHex(values.owner))];
    return { ...dataset, head: nextHead(dataset.head, "transfer", step), owner: values.owner };
  }
  if (name === "Withdrawn" && !dataset.isWithdrawn) {
    const head = nextHead(dataset.head, "withdrawal", [keccak256(values.reason)], { status: 1 });
    return { ...dataset, head, isWithdrawn: true };
  }
  throw new Refused(`The event ${name} cannot follow the known history of ${subject}.`);
}

function content({ contentRoot, metadataHash, uri, sources }) {
  const encoded = sources.flatMap((source) => [fromHex(source.datasetId), word(source.version)]);
  const sourcesHash = keccak256(concat(word(32), word(sources.length), encoded));
  return [fromHex(contentRoot), fromHex(metadataHash), keccak256(uri), sourcesHash];
}

/** Return the head after a step: 28 bytes of the hash chain, the version (3 bytes), the status (1). */
function nextHead(head, name, step, { version, status } = {}) {
  const before = fromHex(head);
  const next = keccak256(concat(before, keccak256(concat(STEPS[name], step))));
  next.set(before.subarray(HASH_BYTES), HASH_BYTES);
  if (version !== undefined) next.set(word(version).subarray(29), HASH_BYTES);
  if (status !== undefined) next[31] = status;
  return hex(next);
}

const source = is.objectOf({ datasetId: is.bytes32, version: is.whole(1, 2 ** MAX_SOURCE_BITS - 1) });
const sourcesCheck = (value, where) => {
  const keys = is.arrayOf(source)(value, where).map((one) => one.datasetId + hex(word(one.version)));
  if (keys.length > MAX_SOURCES || keys.some((key, at) => at > 0 && key <= keys[at - 1])) {
    throw new Refused(`${is.placeText(where)} are more than ${MAX_SOURCES}, or do not ascend strictly.`);
  }
};

/** Return the event that a message leads to; null if it cannot have an effect. */
function expected(name, message, before) {
  const { contentRoot, metadataHash, salt, sources } = message;
  if (name === "Registration") {
    if (before) return null;
    const { owner } = message;
    const values = { owner, contentRoot, metadataHash, salt, uri: utf8(message.uri), sources };
    return event("Registered", hex(keccak256(concat(word(fromHex(owner)), fromHex(contentRoot), fromHex(salt)))), values);
  }
  if (!before || message.head !== before.head) return null;
  const { datasetId } = message;
  switch (name) {
    case "Revision": {
      const version = before.versions.length + 1;
      return event("Revised", datasetId, { version, contentRoot, metadataHash, uri: utf8(message.uri), sources });
    }
    case "TitleTransfer":
      return event("Transferred", datasetId, { previousOwner: before.owner, owner: message.to });
    default:
      return event("Withdrawn", datasetId, { reason: utf8(message.reason) });
  }
}

/**
 * Return the summary of a version of a dataset. Times are Unix seconds, UTC.
 *
 * @param {object} record The record of a verified bundle.
 * @param {number | null} number The version's number; null: the latest.
 * @returns {object} `version`, `latestVersion`, `isLatest`, `contentRoot`; `registrant` (the owner of the dataset when the
 *   version was registered), `registeredBlock`, `registeredAt`; `firstOwner`, `owner`; `status` ("active" or
 *   "withdrawn"), `withdrawnAt` (or null).
 */
function summaryOf({ dataset, events }, number) {
  const version = number ?? dataset.version;
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

/** Return the verdict with its warnings. */
export function headline({ version, latestVersion, isLatest, withdrawnAt }) {
  const buts = [
    ...(isLatest ? [] : [`VERSION ${version} OF ${latestVersion}`]),
    ...(withdrawnAt === null ? [] : [`WITHDRAWN ON ${dayText(withdrawnAt)}`]),
  ];
  return buts.length ? `VERIFIED, BUT ${buts.join(" AND ")}` : "VERIFIED";
}

/** @type {import("./catalogue.mjs").Room} */
export const datasets = {
  contract: CONTRACT,
  references: {},
  decode: (log) => decoded(EVENTS, log),
  fold,
  messages: {
    Registration:
      "Registration(address owner,bytes32 contentRoot,bytes32 metadataHash,string uri,bytes32 salt,Source[] sources," +
      "uint64 deadline)",
    Revision:
      "Revision(uint256 datasetId,bytes32 head,bytes32 contentRoot,bytes32 metadataHash,string uri,Source[] sources," +
      "uint64 deadline)",
    TitleTransfer: "TitleTransfer(uint256 datasetId,bytes32 head,address to,uint64 deadline)",
    Withdrawal: "Withdrawal(uint256 datasetId,bytes32 head,string reason,uint64 deadline)",
  },
  structs: { Source: "Source(uint256 datasetId,uint24 version)" },
  checks: { "Source[]": sourcesCheck },
  requireMessage(name, message) {
    if (message.contentRoot === ZERO_WORD) throw new Refused("A content root is never zero.");
  },
  expected,
  namedSigner: (name, message) => (name === "Registration" ? message.owner : null),
  slots: (subject, _, dataset) => [[inMapping(word(HEADS_SLOT), fromHex(subject)), dataset?.head ?? ZERO_WORD]],
  difference: (_, needed, found) => `The events add up to the head ${needed}, but the contract has ${found}.`,
  part: {
    field: "dataset",
    check: is.objectOf({
      contentRoot: is.bytes32,
      head: is.bytes32,
      metadataHash: is.bytes32,
      owner: is.address,
      version: is.count,
      withdrawn: is.flag,
    }),
    make(_, { head, owner, versions, isWithdrawn }) {
      const { contentRoot, metadataHash } = versions.at(-1);
      return { contentRoot, head, metadataHash, owner, version: versions.length, withdrawn: isWithdrawn };
    },
    account: null,
  },
  owner: (dataset) => dataset.owner,
  versions: (dataset) => dataset.versions,
  summary: summaryOf,
  limits: (_, events) =>
    events
      .filter((one) => one.event.name === "Withdrawn")
      .map((one) => ({ kind: "withdrawn", time: one.time, reason: readable(one.event.values.reason) })),
  texts: {
    en: {
      head: ({ number }) => `No version, transfer or withdrawal up to block ${number} was left out.`,
      withdrawn: ({ time, reason }) =>
        "That the dataset may still be relied on: its owner withdrew it, " +
        `${timeText(time)}, saying ${JSON.stringify(reason)}.`,
    },
    zh: {
      head: ({ number }) => `截至区块 ${number}，没有遗漏任何版本、转让或撤回。`,
      withdrawn: ({ time, reason }) =>
        `该数据集是否仍可依赖：其权利人已于 ${timeText(time)} 将其撤回，理由为 ${JSON.stringify(reason)}。`,
    },
  },
};
