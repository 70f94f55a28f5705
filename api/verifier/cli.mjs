#!/usr/bin/env node
/** The verifier on the command line of Node: `node cli.mjs --help`. */

import { createReadStream, readFileSync, statSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { askNode } from "./ask.mjs";
import { bundleIn, MAX_PDF_BYTES } from "./attachment.mjs";
import { concat, fromUtf8 } from "./bytes.mjs";
import { compareContent } from "./content.mjs";
import { Refused } from "./errors.mjs";
import { readJson } from "./json.mjs";
import { normalPath } from "./manifest.mjs";
import { accessAt } from "./rooms/access.mjs";
import { headline } from "./rooms/datasets.mjs";
import { accessText, notProvenText, provesText } from "./sentences.mjs";
import { Sha256 } from "./sha256.mjs";
import { timeText } from "./times.mjs";
import { claimOf, StepFailed, verify } from "./verify.mjs";

const USAGE = `Usage: node cli.mjs BUNDLE [PATH] TRUST [--json]

Verifies an evidence bundle (.tdr.json, or a certificate in PDF), and compares a file or folder with it.

TRUST is one of
  --block-hash HASH   a block's hash from another source; may be repeated; with --chain-id N if you know it
  --rpc URL           a node that you trust; may be repeated: all must agree
  --trust FILE        a policy of signed checkpoints: {"node", "witnesses", "threshold"}

With --contract NAME=ADDRESS (may be repeated; or TDR_CONTRACTS=NAME=ADDRESS,...), the contracts must have these
addresses. Without PATH no content is compared. --require-active and --require-latest fail if the dataset is withdrawn or
a later version followed.

Exit code 0: verified. 1: check failed. 2: error, no result.
`;
const RELEASES = new URL("../../registry/evidence/releases.json", import.meta.url);
const OPTIONS = {
  "block-hash": { type: "string", multiple: true },
  "chain-id": { type: "string" },
  rpc: { type: "string", multiple: true },
  contract: { type: "string", multiple: true },
  trust: { type: "string" },
  "require-active": { type: "boolean" },
  "require-latest": { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean" },
};

/** The error of a verification without a result: the arguments are malformed, or a file cannot be read. */
class Unclear extends Error {}

/** @param {string[]} args @returns {Promise<number>} The exit code. */
export async function main(args) {
  const asJson = args.includes("--json");
  try {
    const { values, positionals } = parsed(args);
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    const [bundle, path, ...more] = positionals;
    if (!bundle || more.length) throw new Unclear("Name a bundle, and at most one file or folder.");
    const source = await bundleIn(await readable(() => bytesOf(bundle)));
    const releases = JSON.parse(readFileSync(RELEASES, "utf8"));
    const report = await checked(source, path, values, releases);
    process.stdout.write(asJson ? `${JSON.stringify(report, null, 2)}\n` : text(report));
    return report.verified ? 0 : 1;
  } catch (error) {
    return told(error, asJson);
  }
}

/** Print why nothing was verified. */
function told(error, asJson) {
  const failed = error instanceof StepFailed;
  const isOurs = failed || error instanceof Unclear || error instanceof Refused;
  const message = failed
    ? `Step ${error.number} (${error.title}): ${error.message}`
    : isOurs
      ? error.message
      : `The verifier has a fault: ${error?.name}: ${error?.message}`;
  const hint = error?.hint || null;
  const code = error?.reason?.kind ?? (failed ? error.title : null);
  const report = { verified: false, code, failsAt: failed ? error.number : null, error: message, hint };
  if (asJson) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stderr.write(`${plain(`${message} ${hint ?? ""}`.trim())}\n`);
  return failed ? 1 : 2;
}

async function checked(source, path, values, releases) {
  const known = addressesIn(values.contract ?? [process.env.TDR_CONTRACTS ?? ""]);
  const verified = verify(source, await policyOf(values, source), releases, known);
  const steps = verified.steps.map((step) => ({ ...step, proves: provesText(step) }));
  const found = path === undefined ? null : await readable(() => entriesOf(path));
  const content = found && compareContent(verified, found, statSync(path).isDirectory());
  const { summary, record } = verified;
  const missed = missedIn(verified, values);
  const differs = Boolean(content?.differences.length);
  const uncompared = content ? [] : [{ kind: "uncompared" }];
  const later = accessAt(record, Math.floor(Date.now() / 1000));
  return {
    verified: !differs && !missed.length,
    headline: differs ? "DIFFERENT" : missed.length ? "NOT ACCEPTED" : headline(summary),
    chainId: verified.chainId,
    datasetId: verified.datasetId,
    isComplete: verified.isComplete,
    ...summary,
    access: accessAt(record, record.block.time).map((one, at) => ({ ...one, stateNow: later[at].state })),
    record,
    requirementsMissed: missed,
    matched: content?.matched ?? null,
    mismatches: content?.differences ?? null,
    steps: steps.map(({ number, title, proves }) => ({ number, title, proves })),
    notProven: [...uncompared, ...verified.notProven, ...(content?.notProven ?? [])].map((fact) => notProvenText(fact)),
  };
}

/** Return the requirements that are not met, or not shown to be met. */
function missedIn({ summary, isComplete }, values) {
  const { version, latestVersion, isLatest, withdrawnAt } = summary;
  const missed = [];
  if (values["require-active"] && withdrawnAt !== null) {
    missed.push(`--require-active: it was withdrawn, ${timeText(withdrawnAt)}.`);
  } else if (values["require-active"] && !isComplete) {
    missed.push("--require-active: the bundle has no state, so a withdrawal may have been left out.");
  }
  if (values["require-latest"] && !isLatest) {
    missed.push(`--require-latest: version ${latestVersion} followed ${version}.`);
  } else if (values["require-latest"] && !isComplete) {
    missed.push("--require-latest: the bundle has no state, so a later version may have been left out.");
  }
  return missed;
}

function parsed(args) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new Unclear(error.message);
  }
}

/** Return the contracts' addresses by name from texts of the form NAME=ADDRESS,... */
function addressesIn(texts) {
  const addresses = {};
  for (const part of texts.flatMap((text) => text.split(",")).map((text) => text.trim())) {
    if (!part) continue;
    const [, name, address] = /^([^=\s]+)\s*=\s*(\S+)$/.exec(part) ?? [];
    if (!name) throw new Unclear(`Expected NAME=ADDRESS, but got ${part.slice(0, 80)}.`);
    if (Object.hasOwn(addresses, name)) throw new Unclear(`The contract ${name.slice(0, 80)} is named twice.`);
    addresses[name] = address;
  }
  return addresses;
}

async function policyOf(values, source) {
  const { "block-hash": hashes, "chain-id": chainId, rpc, trust } = values;
  if ([hashes, rpc, trust].filter((value) => value !== undefined).length !== 1) {
    throw new Unclear("No trust source given. Use exactly one of --block-hash, --rpc or --trust.");
  }
  if (chainId !== undefined && (!hashes || !/^[1-9][0-9]{0,14}$/.test(chainId))) {
    throw new Unclear("--chain-id is a number, and goes with --block-hash.");
  }
  if (hashes) return chainId === undefined ? { hashes } : { hashes, chainId: Number(chainId) };
  if (trust) return readJson(fromUtf8(readable(() => readFileSync(trust))));
  const { blocks } = claimOf(source);
  return { nodes: await Promise.all(rpc.map((url) => askNode(url, blocks.keys()))) };
}

/** Read a file, unless it is too large for a bundle or certificate. */
async function bytesOf(file) {
  const refuse = () => {
    throw new Unclear(`${file} is not a bundle or certificate: it has more than ${MAX_PDF_BYTES} bytes.`);
  };
  if (statSync(file).size > MAX_PDF_BYTES) refuse();
  const pieces = [];
  // The size of a pipe or a device is not known in advance: at most one byte too many is read.
  for await (const piece of createReadStream(file, { end: MAX_PDF_BYTES })) pieces.push(piece);
  const bytes = concat(pieces);
  if (bytes.length > MAX_PDF_BYTES) refuse();
  return bytes;
}

/** Return every file below a path with its hash. */
async function entriesOf(path) {
  const entries = [];
  const visit = async (place, name) => {
    const status = await lstat(place);
    if (status.isDirectory()) {
      for (const child of await readdir(place)) await visit(join(place, child), name ? `${name}/${child}` : child);
    } else if (status.isFile()) {
      const hash = new Sha256();
      for await (const piece of createReadStream(place, { highWaterMark: 1 << 20 })) hash.update(piece);
      const digest = Buffer.from(hash.digest()).toString("hex");
      entries.push({ path: normalPath(name || basename(place)), sha256: digest, size: status.size });
    } else {
      throw new Unclear(`${place} is neither a file nor a folder.`);
    }
  };
  await visit(path, "");
  if (!entries.length) throw new Unclear(`There is no file in ${path}.`);
  return entries;
}

/** Return the result of a read; convert errors of reading, which are not faults of this program. */
function readable(read) {
  const unclear = (error) => {
    throw error.code && error.syscall ? new Unclear(error.message) : error;
  };
  try {
    const result = read();
    return result instanceof Promise ? result.catch(unclear) : result;
  } catch (error) {
    return unclear(error);
  }
}

/**
 * Return untrusted text that is safe on a terminal: control characters, which could move the cursor or hide a part of
 * the text, and characters that change the writing direction are escaped, as by `plain` in registry/cli/output.py.
 */
export function plain(text) {
  return text.replace(/[\p{C}\p{Z}]/gu, (char) => {
    if (char === " ") return char;
    const short = { "\t": "\\t", "\n": "\\n", "\r": "\\r" }[char];
    const digits = char.codePointAt(0).toString(16);
    if (digits.length <= 2) return short ?? `\\x${digits.padStart(2, "0")}`;
    return digits.length <= 4 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
  });
}

function text(report) {
  const lines = report.steps.map((step) => `${String(step.number).padStart(2)}. ${step.title}: ${step.proves}`);
  const { registrant, registeredBlock, registeredAt, firstOwner, owner, withdrawnAt } = report;
  const { block } = report.record;
  lines.push(
    "",
    `Dataset ${report.datasetId} on chain ${report.chainId}, version ${report.version} of ${report.latestVersion}, ` +
      `content root ${report.contentRoot}. ${registrant} registered it in block ${registeredBlock}, ` +
      `${timeText(registeredAt)}.${firstOwner === registrant ? "" : ` The first owner was ${firstOwner}.`} ` +
      `The owner is ${owner}. ${withdrawnAt === null ? "It is active" : "It is withdrawn"} as of block ` +
      `${block.number}, ${timeText(block.time)}.`,
  );
  if (report.mismatches) {
    lines.push("", `Files as registered: ${report.matched}; not: ${report.mismatches.length}.`);
  }
  for (const { path, expected, found } of report.mismatches ?? []) {
    lines.push(`  ${JSON.stringify(path)}: expected ${expected ?? "nothing"}, found ${found ?? "nothing"}`);
  }
  lines.push("", report.headline, ...report.requirementsMissed.map((line) => `  ${line}`));
  lines.push("", `ACCESS, as of block ${block.number}`, ...report.access.map((one) => `  - ${accessText(one)}`));
  if (!report.access.length) lines.push("  - The bundle does not show any access.");
  lines.push("", "NOT PROVEN");
  return [...lines, ...report.notProven.map((line) => `  - ${line}`), ""].map(plain).join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  // Node's own exit code for a crash is 1, which here means that a check failed.
  process.on("uncaughtException", (error) => process.exit(told(error, false)));
  process.exitCode = await main(process.argv.slice(2));
}
