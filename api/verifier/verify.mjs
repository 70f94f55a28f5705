/**
 * Verifying an evidence bundle, without any network: step by step, against trust that the reader chooses.
 *
 *  1. form         The bundle is in its one form, and holds nothing that no step checks.
 *  2. blocks       Every header's hash is recomputed; within a run each is the parent of the next.
 *  3. trust        The last block of each run is vouched for by whom the reader trusts; the contracts are those that the
 *                  reader knows, where their addresses are given.
 *  4. receipts     Each receipt stands in its block.
 *  5. history      The events follow one another from the registration on.
 *  6. contracts    The accounts have the code of a release, made for this chain and these addresses.
 *  7. head         The dataset's head in the state is what the events add up to.
 *  8. access       So is what the state has of each grantee's access.
 *  9. record       The record that the bundle states is the one that the events add up to.
 * 10. signatures   Each signed message says what its event says, and the right one signed it.
 * 11. content      The manifest, the files and the metadata have the hashes that the version has.
 *
 * This is a second implementation of docs/evidence.md. It shares no code with the first, on purpose: a fault in one of
 * them shows as a difference. It uses neither the DOM nor Node, so that it runs in both.
 */

import { fromHex, hex, utf8 } from "./bytes.mjs";
import { decodeHeader, decodeLogs, receiptKey } from "./block.mjs";
import { parseBundle } from "./bundle.mjs";
import { accessIn, genuine, headIn } from "./contracts.mjs";
import { Refused } from "./errors.mjs";
import { historyOf, kept, recordOf } from "./history.mjs";
import { canonical } from "./json.mjs";
import { manifestEntries, requireAscending, requireIn } from "./manifest.mjs";
import { requireSigned } from "./messages.mjs";
import { checkedNotes } from "./notes.mjs";
import { sha256 } from "./sha256.mjs";
import * as is from "./shape.mjs";
import { summaryOf } from "./summary.mjs";
import { Nodes } from "./trie.mjs";
import { trustOf } from "./trust.mjs";

export const TITLES = [
  ...["form", "blocks", "trust", "receipts", "history", "contracts", "head", "access", "record", "signatures"],
  "content",
];

/** A step failed; those after it were not carried out. */
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
 * Verifies a bundle.
 *
 * Warning: whoever deploys a contract chooses what its storage holds at first, whatever its code is. So an address that
 * the reader does not know shows what its own deployer says, signed messages apart; it is named as not proven.
 *
 * @param {Uint8Array} source The bundle, byte for byte as it was issued.
 * @param {object} policy Whose word counts for which blocks the chain has: see trust.mjs.
 * @param {object} releases The code of the contracts in every release: releases.json.
 * @param {Record<string, string>} known The contracts' addresses that the reader knows, by name.
 * @returns {object} What is proven: `chainId`, `datasetId`, `record`, `isComplete`, `entries` (of the manifest, or null),
 *   `files` (the entries shown one by one), `metadata`, `version`; `summary`, see summary.mjs; `steps`, all of them, each
 *   with its number, its title and the `facts` that it established (null: not carried out); `notProven`, each with its `kind` and facts. sentences.mjs says both in words.
 * @throws {StepFailed} A step failed.
 * @throws {Refused} The policy is none.
 */
export function verify(source, policy, releases, known = {}) {
  const trust = trustOf(policy);
  for (const [name, address] of Object.entries(known)) is.address(address, name);
  const steps = TITLES.map((title, index) => ({ number: index + 1, title, facts: null }));
  /** Carries out a check, which gives what the later ones need, and the facts that it established, if any. */
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
    const { DatasetRegistry: registry, AccessGrants: grants } = bundle.contracts;
    const place = (address) => ({ chainId: bundle.chainId, address, registry });
    const [nodes, storageRoot] = step(6, () => {
      const state = new Nodes(bundle.state.map(fromHex));
      const account = genuine(state, last.stateRoot, "DatasetRegistry", place(registry), releases);
      return [[state, account.storageRoot], { address: registry, contract: "DatasetRegistry", release: account.release }];
    });
    step(7, () => {
      const head = headIn(nodes, storageRoot, bundle.datasetId);
      if (head !== history.dataset.head) {
        throw leftOut(`The events add up to the head ${history.dataset.head}, but the contract has ${head}.`);
      }
      return [null, { number: last.number }];
    });
    step(8, () => {
      if (history.access.size) {
        const account = genuine(nodes, last.stateRoot, "AccessGrants", place(grants), releases);
        for (const grantee of history.access.keys()) {
          const found = accessIn(nodes, account.storageRoot, bundle.datasetId, grantee);
          if (canonical(found) !== canonical(kept(history, grantee))) {
            throw leftOut(`The events of ${grantee} do not add up to what the contract has.`);
          }
        }
      }
      nodes.requireAllRead();
      return [null, history.access.size ? { count: history.access.size } : null];
    });
  }
  step(9, () => {
    if (canonical(recordOf(history, last)) !== canonical(bundle.record)) {
      throw new Refused("The record is not what the events add up to.");
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
    summary: summaryOf(bundle.record, shown?.version ?? bundle.record.dataset.version),
    steps,
    notProven: notProven(bundle, last, Object.values(known), word),
  };
}

/**
 * What a bundle needs vouched for, to ask for it before verifying.
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
    if (!needed.has(first.number)) throw new Refused(`The header of block ${first.number} is there for nothing.`);
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

/** Requires that the contracts have the addresses that the reader knows. */
function requireKnown({ DatasetRegistry: registry, AccessGrants: grants }, known) {
  for (const [found, address] of [[registry, known.DatasetRegistry], [grants, known.AccessGrants]]) {
    if (found && address && found !== address) {
      const reason = { kind: "otherContract", found, address };
      throw new Refused(`The bundle is of the contract ${found}, not of ${address}.`, "", reason);
    }
  }
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
  const { DatasetRegistry: registry, AccessGrants: grants } = bundle.contracts;
  const grantees = bundle.record.access.map((access) => access.grantee);
  requireRising(grantees.map((grantee) => grantee.toLowerCase()), "The grantees");
  if ((grants === null) !== (grantees.length === 0)) {
    throw new Refused("AccessGrants is named exactly where the bundle speaks of somebody's access.");
  }
  const history = historyOf(logs, bundle.datasetId, registry, grants, grantees);
  const used = new Set(history.shown.map(({ placed }) => `${placed.block.number}/${placed.transaction}`));
  for (const part of bundle.receipts) {
    for (const transaction of part.transactions) {
      if (!used.has(`${part.block}/${transaction}`)) {
        throw new Refused(`The receipt of transaction ${transaction} of block ${part.block} is there for nothing.`);
      }
    }
  }
  if (bundle.state === null && [...history.access.values()].includes(null)) {
    throw new Refused("A grantee is named of whom neither events nor the state are shown.");
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
  const stated = history.dataset.versions[version - 1];
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

function notProven({ state, content, contracts, record }, last, known, word) {
  const addresses = [contracts.DatasetRegistry, contracts.AccessGrants].filter((address) => address !== null);
  const facts = [
    { kind: "truth" },
    { kind: "authority", word },
    { kind: "persons" },
    { kind: "later", number: last.number, time: last.time },
    ...(state === null ? [{ kind: "leftOut" }, { kind: "code", address: contracts.DatasetRegistry, contract: "DatasetRegistry" }] : []),
    ...addresses.filter((address) => !known.includes(address)).map((address) => ({ kind: "address", address })),
    { kind: "others", count: record.access.length },
    ...followed(content, record),
  ];
  const showsFiles = content !== null && (content.manifest !== null || content.files.length > 0);
  return showsFiles ? facts : [...facts, { kind: "files" }];
}

/** What came after the version that is shown. */
function followed(content, { dataset, events }) {
  const isSuperseded = content !== null && content.version < dataset.version;
  return [
    ...(isSuperseded ? [{ kind: "superseded", version: content.version, latest: dataset.version }] : []),
    ...events
      .filter(({ event }) => event === "Withdrawn")
      .map(({ time, values }) => ({ kind: "withdrawn", time, reason: values.reason })),
  ];
}

function requireRising(values, what) {
  if (values.some((value, at) => at > 0 && value <= values[at - 1])) {
    throw new Refused(`${what} are not in ascending order, or one is there twice.`);
  }
}

function leftOut(message) {
  return new Refused(message, "An event was left out: ask for a newer bundle, or for one from another source.");
}
