/** Answers questions to the JavaScript verifier, one line of JSON each, until the input ends. */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { bundleIn } from "../../api/verifier/attachment.mjs";
import { decodeHeader } from "../../api/verifier/block.mjs";
import { fromHex } from "../../api/verifier/bytes.mjs";
import { Refused } from "../../api/verifier/errors.mjs";
import { canonical, readJson } from "../../api/verifier/json.mjs";
import { manifestEntries, refuseCollisions, rootOf } from "../../api/verifier/manifest.mjs";
import { parseCheckpoint, parseKey, requireSignedBy } from "../../api/verifier/notes.mjs";
import { accessText, notProvenText, provesText, refusalText } from "../../api/verifier/sentences.mjs";
import { TEXTS } from "../../api/verifier/texts.mjs";
import { trustOf } from "../../api/verifier/trust.mjs";
import { accessAt } from "../../api/verifier/rooms/access.mjs";
import { headline } from "../../api/verifier/rooms/datasets.mjs";
import { StepFailed, TITLES, verify } from "../../api/verifier/verify.mjs";

const releases = JSON.parse(readFileSync(new URL("../../registry/evidence/releases.json", import.meta.url), "utf8"));

/** Seconds from the bundle's block at which access is told as well. */
const LATER = [-(10 ** 6), -3, -2, -1, 1, 2 ** 40, 2 ** 49];

const ANSWERS = {
  async verify({ bundle, trust, known }) {
    const found = verify(await bundleIn(new Uint8Array(Buffer.from(bundle, "base64"))), trust, releases, known);
    return {
      isComplete: found.isComplete,
      record: found.record,
      version: found.version,
      metadata: found.metadata,
      files: found.files.map((file) => file.path),
      manifest: found.entries && found.entries.map((entry) => entry.path),
      summary: found.summary,
      access: accessAt(found.record, found.record.block.time),
      accessLater: LATER.map((seconds) => accessAt(found.record, found.record.block.time + seconds)),
      headline: headline(found.summary),
      steps: inLanguages((language) => found.steps.map((step) => [step.number, step.title, provesText(step, language)])),
      limits: found.notProven.map((fact) => fact.kind),
      notProven: inLanguages((language) => found.notProven.map((fact) => notProvenText(fact, language))),
    };
  },
  async attachment({ file }) {
    return Buffer.from(await bundleIn(new Uint8Array(Buffer.from(file, "base64")))).toString("base64");
  },
  steps: () => inLanguages((language) => TITLES.map((title, index) => [
    index + 1, title, TEXTS[language].titles[title], refusalText({ number: index + 1 }, language),
  ])),
  access: ({ access, language }) => accessText(access, language),
  canonical: ({ text }) => canonical(readJson(text)),
  header: ({ raw }) => decodeHeader(fromHex(raw)),
  manifest: ({ text }) => rootOf(manifestEntries(Object(readJson(text)))),
  collisions: ({ pairs }) => pairs.map((paths) => isRefused(() => refuseCollisions(paths))),
  policy: ({ text }) => {
    trustOf(readJson(text));
    return true;
  },
  note: ({ note, key }) => {
    requireSignedBy(parseCheckpoint(note), parseKey(key));
    return true;
  },
};

const inLanguages = (say) => ({ en: say("en"), zh: say("zh") });

function isRefused(check) {
  try {
    check();
    return false;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return true;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { question, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { answer: await ANSWERS[question](given) };
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof StepFailed)) throw error;
    const { message: refused, number: failsAt = null, title: failsIn = null } = error;
    answer = { refused, failsAt, failsIn, refusal: inLanguages((language) => refusalText({ number: failsAt }, language)) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
