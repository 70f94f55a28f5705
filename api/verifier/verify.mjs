/**
 * Verify an evidence bundle offline, step by step, by a trust policy that the reader chooses.
 *
 *  1. form         The bundle is in canonical form, and has no data that is not checked by a step.
 *  2. blocks       Every header's hash is recomputed; within a run each is the parent of the next.
 *  3. trust        The last block of each run is vouched for; the contracts have the addresses that the reader knows.
 *  4. receipts     Each receipt is in its block.
 *  5. history      The events follow one another from the registration on.
 *  6. contracts    The accounts have the code of a release, made for this chain and these addresses.
 *  7. head         The subject's slots have the values that the events fold to.
 *  8. access       So do the slots of each other account shown.
 *  9. record       The record in the bundle is the one that the events fold to.
 * 10. signatures   Each signed message leads to its event, and the authorised account signed it.
 * 11. content      The manifest, the files and the metadata have the hashes of the version.
 *
 * This is a second implementation of docs/evidence.md. It deliberately shares no code with the first, so that a fault
 * in one of them shows as a difference. It uses neither the DOM nor Node, so it runs in both.
 */

import { fromHex, hex, utf8 } from "./bytes.mjs";
import { decodeHeader, decodeLogs, receiptKey } from "./block.mjs";
import { parseBundle } from "./bundle.mjs";
import { Refused } from "./errors.mjs";
import { historyOf, recordOf } from "./history.mjs";
import { canonical } from "./json.mjs";
import { manifestEntries, requireAscending, requireIn } from "./manifest.mjs";
import { requireSigned } from "./messages.mjs";
import { checkedNotes } from "./notes.mjs";
import { MAIN, ROOMS, roomOf } from "./rooms/catalogue.mjs";
import { sha256 } from "./sha256.mjs";
import * as is from "./shape.mjs";
import { genuine, slotAt } from "./state.mjs";
import { Nodes } from "./trie.mjs";
import { trustOf } from "./trust.mjs";

export const TITLES = [
  ...["form", "blocks", "trust", "receipts", "history", "contracts", "head", "access", "record", "signatures"],
  "content",
];

/** The error of a step that failed; later steps are not carried out. */
export class StepFailed extends Error {
  /** @param {number} number From 1. @param {Refused} cause */
  constructor(number, cause) {
    super(cause.message, { cause });
    this.name = "StepFailed";
    this.number = number;
    this.title = TITLES[number - 1];
    this.hint = cause.hint;
    this.reason = cause.reason;
  }
}

/**
 * Verify a bundle.
 *
 * Warning: the deployer of a contract chooses its initial storage, whatever its code is. Therefore an address that the
 * reader does not know proves only the claims of its deployer, except for signed messages. The result names such an
 * address as not proven.
 *
 * @param {Uint8Array} source The bundle, byte for byte as it was issued.
 * @param {object} policy The trust policy: see trust.mjs.
 * @param {object} releases The code of the contracts in every release: releases.json.
 * @param {Record<string, string>} known The contracts' addresses that the reader knows, by name.
 * @returns {object} The verified content: `chainId`, `datasetId`, `record`, `isComplete`, `entries` (of the manifest, or null),
 *   `files` (the entries shown one by one), `metadata`, `version`; `summary`, see rooms/datasets.mjs; `steps`, each
 *   with its number, title and `facts` (null: not carried out); `notProven`, each with its `kind` and facts.
 *   sentences.mjs has the sentences for both.
 * @throws {StepFailed} A step failed.
 * @throws {Refused} The policy is malformed.
 */
export function verify(source, policy, releases, known = {}) {
  const trust = trustOf(policy);
  for (const [name, address] of Object.entries(known)) {
    const isReleased = Object.values(releases).some((contracts) => Object.hasOwn(contracts, name));
    if (!isReleased && !roomOf(name)) throw new Refused(`There is no contract ${name.slice(0, 80)}.`);
    is.address(address, name);
  }
  const steps = TITLES.map((title, index) => ({ number: index + 1, title, facts: null }));
  /** Carry out a check, which returns what later checks need, and its facts, if any. */
  const step = (number, check) => {
    try {
      const [result, facts] = check();
      steps[number - 1].facts = facts;
      return result;
    } catch (error) {
      throw error instanceof Refused ? new StepFailed(number, error) : error;
    }
  };

  const bundle = step(1, () => [parseBundle(source), {}]);
  const runs = step(2, () => {
    const found = runsOf(bundle);
    return [found, { count: found.flat().length }];
  });
  const last = runs.at(-1).at(-1);
  const headers = new Map(runs.flat().map((header) => [header.number, header]));
  const word = step(3, () => {
    const found = vouched(bundle, trust, runs);
    requireKnown(bundle.contracts, known);
    return [found, { number: last.number, hash: last.hash, word: found }];
  });
  const logs = step(4, () => [
    logsOf(bundle, headers),
    { count: bundle.receipts.reduce((sum, part) => sum + part.transactions.length, 0) },
  ]);
  const history = step(5, () => {
    const found = historyIn(bundle, logs);
    return [found, { count: found.shown.length }];
  });
  if (bundle.state !== null) {
    const { chainId, contracts } = bundle;
    const place = { chainId, contracts };
    const [nodes, storageRoot] = step(6, () => {
      const state = new Nodes(bundle.state.map(fromHex));
      const account = genuine(state, last.stateRoot, MAIN, place, releases);
      const facts = { address: contracts[MAIN.contract], contract: MAIN.contract, release: account.release };
      return [[state, account.storageRoot], facts];
    });
    step(7, () => {
      requireSlots(nodes, storageRoot, history.main);
      return [null, { number: last.number }];
    });
    step(8, () => {
      const count = requireAccounts(nodes, last, history, place, releases);
      nodes.requireAllRead();
      return [null, count ? { count } : null];
    });
  }
  step(9, () => {
    if (canonical(recordOf(history, last)) !== canonical(bundle.record)) {
      throw new Refused("The record differs from the state that the events fold to.");
    }
    return [null, { time: last.time }];
  });
  if (bundle.messages.length) {
    step(10, () => {
      requireSignatures(bundle, history);
      return [null, { count: bundle.messages.length, of: history.shown.length }];
    });
  }
  const shown = bundle.content;
  const content = shown && step(11, () => [contentOf(shown, history), { version: shown.version }]);
  return {
    chainId: bundle.chainId,
    datasetId: bundle.datasetId,
    record: bundle.record,
    isComplete: bundle.state !== null,
    entries: content?.entries ?? null,
    files: content?.files ?? [],
    metadata: shown?.metadata ?? null,
    version: shown?.version ?? null,
    summary: MAIN.summary(bundle.record, shown?.version ?? null),
    steps,
    notProven: notProven(bundle, history, last, known, word),
  };
}

/**
 * Return what a bundle needs vouched for, so that nodes can be asked before verifying.
 *
 * @returns {{chainId: number, datasetId: string, blocks: Map<number, string>}}
 * @throws {StepFailed} The bundle is malformed.
 */
export function claimOf(source) {
  let number = 1;
  try {
    const bundle = parseBundle(source);
    number = 2;
    return { chainId: bundle.chainId, datasetId: bundle.datasetId, blocks: blocksOf(runsOf(bundle)) };
  } catch (error) {
    throw error instanceof Refused ? new StepFailed(number, error) : error;
  }
}

function runsOf(bundle) {
  const runs = bundle.headers.map((run) => run.map((raw) => decodeHeader(fromHex(raw))));
  for (const run of runs) {
    run.slice(1).forEach((child, at) => {
      if (child.parentHash !== run[at].hash || child.number !== run[at].number + 1) {
        throw new Refused(`The header of block ${child.number} does not follow the one before it.`);
      }
    });
  }
  runs.slice(1).forEach(([first], at) => {
    if (first.number <= runs[at].at(-1).number + 1) {
      throw new Refused(`The run from block ${first.number} is not apart from the run before it.`);
    }
  });
  const needed = new Set([...bundle.receipts.map((part) => part.block), runs.at(-1).at(-1).number]);
  for (const [first] of runs) {
    if (!needed.has(first.number)) throw new Refused(`The header of block ${first.number} is not needed.`);
  }
  return runs;
}

function blocksOf(runs) {
  return new Map(runs.map((run) => [run.at(-1).number, run.at(-1).hash]));
}

function vouched(bundle, trust, runs) {
  const { chainId, checkpoints } = bundle;
  const blocks = blocksOf(runs);
  const notes = checkpoints ? checkedNotes(checkpoints, chainId, blocks) : [];
  const word = trust.vouch({ chainId, blocks, notes });
  if (bundle.state === null && !trust.namesTheChain) {
    const message = `Nothing shows that this is chain ${chainId}: the bundle has no state.`;
    throw new Refused(message, "Give the chain's id as well.", { kind: "chainUnnamed", chainId });
  }
  return word;
}

/** Require that the contracts have the addresses that the reader knows. */
function requireKnown(contracts, known) {
  for (const [name, found] of Object.entries(contracts)) {
    const address = known[name];
    if (found && address && found !== address) {
      const reason = { kind: "otherContract", found, address };
      throw new Refused(`The bundle is of the contract ${found}, not of ${address}.`, "", reason);
    }
  }
}

/** Require that the slots of a state have the values that its events fold to. */
function requireSlots(nodes, storageRoot, { room, subject, account, state }) {
  for (const [slot, expected] of room.slots(subject, account, state)) {
    const found = slotAt(nodes, storageRoot, slot);
    if (found !== expected) {
      throw new Refused(
        room.difference(account, expected, found),
        "An event was left out: ask for a newer bundle, or for one from another source.",
      );
    }
  }
}

/** Require the same for each account beside the subject. @returns {number} The number of accounts. */
function requireAccounts(nodes, last, history, place, releases) {
  let count = 0;
  for (const room of ROOMS.filter(({ part }) => part.account)) {
    const proofs = history.proofs.filter((proof) => proof.room === room);
    if (!proofs.length) continue;
    const { storageRoot } = genuine(nodes, last.stateRoot, room, place, releases);
    for (const proof of proofs) requireSlots(nodes, storageRoot, proof);
    count += proofs.length;
  }
  return count;
}

function logsOf(bundle, headers) {
  requireRising(bundle.receipts.map((part) => part.block), "The blocks of the receipts");
  const placed = [];
  for (const part of bundle.receipts) {
    const block = headers.get(part.block);
    if (!block) throw new Refused(`There is no header of block ${part.block}, whose receipts are shown.`);
    requireRising(part.transactions, `The transactions of block ${part.block}`);
    const nodes = new Nodes(part.nodes.map(fromHex));
    for (const transaction of part.transactions) {
      const raw = nodes.value(block.receiptsRoot, receiptKey(transaction));
      if (raw === null) throw new Refused(`Block ${part.block} has no transaction ${transaction}.`);
      decodeLogs(raw).forEach((log, index) => placed.push({ log, block, transaction, index }));
    }
    nodes.requireAllRead();
  }
  return placed;
}

function historyIn(bundle, logs) {
  const { contracts, datasetId, record } = bundle;
  const accounts = new Map();
  for (const room of ROOMS.filter(({ part }) => part.account)) {
    const { field, account } = room.part;
    const named = record[field].map(account);
    requireRising(named.map((one) => one.toLowerCase()), `The accounts of ${field}`);
    if ((contracts[room.contract] === null) !== (named.length === 0)) {
      throw new Refused(`${room.contract} must be named if and only if the record has ${field}.`);
    }
    accounts.set(room, named);
  }
  const history = historyOf(logs, datasetId, contracts, accounts);
  const used = new Set(history.shown.map(({ placed }) => `${placed.block.number}/${placed.transaction}`));
  for (const part of bundle.receipts) {
    for (const transaction of part.transactions) {
      if (!used.has(`${part.block}/${transaction}`)) {
        throw new Refused(`The receipt of transaction ${transaction} of block ${part.block} is not needed.`);
      }
    }
  }
  if (bundle.state === null && history.proofs.some(({ state }) => state === null)) {
    throw new Refused("An account is named without events or state.");
  }
  return history;
}

function requireSignatures(bundle, history) {
  requireRising(bundle.messages.map((signed) => signed.event), "The signed messages");
  for (const { event, message, signature } of bundle.messages) {
    if (event >= history.shown.length) throw new Refused(`There is no event ${event}.`);
    requireSigned(history.shown[event], message, fromHex(signature), bundle.chainId);
  }
}

function contentOf({ files, manifest, metadata, version }, history) {
  if (manifest === null && !files.length && metadata === null) throw new Refused("The bundle's content is empty.");
  const stated = MAIN.versions(history.main.state)[version - 1];
  if (!stated) throw new Refused(`There is no version ${version}.`);
  const root = stated.contentRoot;
  const entries = manifest && manifestEntries(manifest);
  if (manifest && manifest.root !== root) {
    throw new Refused(`The manifest has the root ${manifest.root}, the version ${root}.`);
  }
  const shown = files.map((file) => requireIn(file, root));
  requireAscending(shown.map((file) => file.path));
  if (metadata !== null && hex(sha256(utf8(canonical(metadata)))) !== stated.metadataHash) {
    throw new Refused(`The metadata does not have the hash ${stated.metadataHash} of the version.`);
  }
  return { entries, files: shown, root };
}

function notProven({ state, content, contracts }, history, last, known, word) {
  const { contract } = MAIN;
  const facts = [
    { kind: "truth" },
    { kind: "authority", word },
    { kind: "persons" },
    { kind: "later", number: last.number, time: last.time },
    ...(state === null ? [{ kind: "leftOut" }, { kind: "code", address: contracts[contract], contract }] : []),
    ...ROOMS.map((room) => [contracts[room.contract], known[room.contract]])
      .filter(([address, pin]) => address !== null && address !== pin)
      .map(([address]) => ({ kind: "address", address })),
    ...ROOMS.filter((room) => room !== MAIN).flatMap((room) => limitsOf(room, history)),
    ...superseded(content, MAIN.versions(history.main.state).length),
    ...limitsOf(MAIN, history),
  ];
  const showsFiles = content !== null && (content.manifest !== null || content.files.length > 0);
  return showsFiles ? facts : [...facts, { kind: "files" }];
}

function limitsOf(room, { shown, proofs }) {
  const events = shown.filter((one) => one.room === room);
  return room.limits(
    proofs.filter((proof) => proof.room === room).length,
    events.map(({ event, placed }) => ({ event, time: placed.block.time })),
  );
}

/** Return the limit that a later version followed the one whose content is shown. */
function superseded(content, latest) {
  return content !== null && content.version < latest ? [{ kind: "superseded", version: content.version, latest }] : [];
}

function requireRising(values, what) {
  if (values.some((value, at) => at > 0 && value <= values[at - 1])) {
    throw new Refused(`${what} are not in ascending order, or one occurs twice.`);
  }
}
