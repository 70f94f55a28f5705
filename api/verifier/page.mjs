/** The page at /verify: takes the evidence, the choice of trust and the files, and shows what the worker finds. */

import { askNode } from "./ask.mjs";
import { fromUtf8 } from "./bytes.mjs";
import { chosen, dropped } from "./files.mjs";
import { readJson } from "./json.mjs";
import { resultOf } from "./result.mjs";
import { roomOf } from "./rooms/catalogue.mjs";
import { TEXTS } from "./texts.mjs";

const element = (id) => document.getElementById(id);
const NODE_URL = new URL("/rpc", location.href).href;

/** The reader's input so far, and its results. */
const state = { language: "en", bundle: null, claim: null, name: "", policy: null, files: null, outcome: null };

const worker = new Worker("/verify/worker.mjs", { type: "module" });
const waiting = new Map();
let lastId = 0;

worker.addEventListener("message", ({ data: { id, progress, result, failure } }) => {
  const { resolve, reject, tell } = waiting.get(id);
  if (progress) return tell(progress);
  waiting.delete(id);
  if (failure) reject(Object.assign(new Error(failure.message), failure));
  else resolve(result);
});

/** Send a task to the worker. */
function ask(task, given, tell = () => {}) {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, tell });
    worker.postMessage({ id, task, ...given });
  });
}

const texts = () => TEXTS[state.language];

function showLanguage(language) {
  state.language = language;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = `${texts().title} · ${texts().registry}`;
  for (const part of document.querySelectorAll("[data-text]")) part.textContent = texts()[part.dataset.text];
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  showInputs();
  showOutcome();
}

function showInputs() {
  const { claim, name, policy, files } = state;
  if (claim) {
    const blocks = [...claim.blocks].map(([height]) => texts().block(height)).join(", ");
    showState("bundle-state", texts().opened(name, blocks));
  }
  if (policy) showState("policy-state", texts().policyChosen(policy.name));
  if (files) {
    const size = files.files.reduce((sum, { file }) => sum + file.size, 0);
    showState("files-state", texts().filesChosen(files.files.length, bytesText(size)));
  }
  element("go").disabled = !claim;
}

function showState(id, text, isBad = false) {
  element(id).textContent = text;
  element(id).classList.toggle("bad", isBad);
}

function showOutcome() {
  const { outcome, language } = state;
  element("result").hidden = !outcome;
  if (outcome) element("result").replaceChildren(...resultOf(outcome, language));
}

function showProgress(text, value) {
  element("working").hidden = false;
  element("progress-text").textContent = text;
  if (value === undefined) element("progress").removeAttribute("value");
  else element("progress").value = value;
}

async function openBundle(name, source) {
  Object.assign(state, { bundle: null, claim: null, name, outcome: null });
  showOutcome();
  showState("bundle-state", texts().reading);
  try {
    const { bundle, claim } = await ask("open", { source });
    Object.assign(state, { bundle, claim });
  } catch (failure) {
    showState("bundle-state", "");
    state.outcome = { failure };
    showOutcome();
  }
  showInputs();
}

async function chosenPolicy() {
  const kind = new FormData(element("form")).get("trust");
  if (kind === "node") return { nodes: [await askNode(NODE_URL, state.claim.blocks.keys())] };
  if (kind === "hashes") {
    const hashes = element("hashes").value.split(/\s+/).filter(Boolean).map((hash) => hash.toLowerCase());
    const chain = element("chain").value.trim();
    return chain ? { hashes, chainId: Number(chain) } : { hashes };
  }
  return state.policy?.document ?? {};
}

/** The addresses that this registry states of the contracts that evidence shows; it may have others. */
async function ownContracts() {
  const { contracts } = await (await fetch("/v1/deployment")).json();
  const shown = Object.entries(contracts).filter(([name]) => roomOf(name));
  return Object.fromEntries(shown.map(([name, { address }]) => [name, address]));
}

async function run() {
  element("go").disabled = true;
  state.outcome = null;
  showOutcome();
  showProgress(texts().verifying);
  const outcome = { byNode: new FormData(element("form")).get("trust") === "node" };
  try {
    const policy = await chosenPolicy();
    const known = outcome.byNode ? await ownContracts() : {};
    const releases = await (await fetch("/verify/releases.json")).json();
    outcome.verified = await ask("verify", { bundle: state.bundle, policy, releases, known });
    if (state.files) {
      outcome.content = await ask("compare", { verified: outcome.verified, ...state.files }, ({ done, total, path }) =>
        showProgress(texts().hashing(bytesText(done), bytesText(total), path), total ? done / total : undefined),
      );
    }
  } catch (failure) {
    outcome.failure = failure;
  }
  state.outcome = outcome;
  element("working").hidden = true;
  element("go").disabled = false;
  showOutcome();
  element("result").focus();
}

async function takeBundle(file) {
  if (file) await openBundle(file.name, new Uint8Array(await file.arrayBuffer()));
}

function takeFiles(found) {
  state.files = found.files.length ? found : null;
  showState("files-state", "");
  showInputs();
}

async function takePolicy(file) {
  try {
    state.policy = { name: file.name, document: readJson(fromUtf8(new Uint8Array(await file.arrayBuffer()))) };
    showInputs();
  } catch (error) {
    state.policy = null;
    showState("policy-state", error.message, true);
  }
}

/** Read a dataset and a version after the #, as in the code on a certificate; this node has its evidence. */
async function openNamed() {
  const [, dataset, version] = /^#(0x[0-9a-f]{64})(?:@([0-9]{1,8}))?$/.exec(location.hash) ?? [];
  if (!dataset) return;
  showState("bundle-state", texts().fetching);
  const response = await fetch(`/v1/datasets/${dataset}/evidence${version ? `?version=${version}` : ""}`);
  if (response.ok) await openBundle(dataset, new Uint8Array(await response.arrayBuffer()));
  else showState("bundle-state", `${response.status} ${response.statusText}`, true);
}

function bytesText(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = count ? Math.min(units.length - 1, Math.floor(Math.log10(count) / 3)) : 0;
  return `${(count / 1000 ** step).toLocaleString(state.language, { maximumFractionDigits: 1 })} ${units[step]}`;
}

const ZONES = {
  bundle: (transfer) => takeBundle(transfer.files[0]),
  files: async (transfer) => takeFiles(await dropped(transfer)),
};

for (const zone of document.querySelectorAll("[data-drop]")) {
  const over = (isOver) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", isOver);
  };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    ZONES[zone.dataset.drop](event.dataTransfer);
  });
}
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => showLanguage(button.dataset.language));
}
element("bundle").addEventListener("change", (event) => takeBundle(event.target.files[0]));
element("policy").addEventListener("change", (event) => takePolicy(event.target.files[0]));
for (const id of ["files", "folder"]) {
  element(id).addEventListener("change", (event) => takeFiles(chosen(event.target.files)));
}
element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (state.claim) run();
});

showLanguage(navigator.language.startsWith("zh") ? "zh" : "en");
await openNamed();
