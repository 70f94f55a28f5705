/** Show the result of a verification on the page. Texts are inserted as text only: a bundle is untrusted. */

import { accessAt } from "./rooms/access.mjs";
import { accessText, notProvenText, provesText, refusalText } from "./sentences.mjs";
import { TEXTS } from "./texts.mjs";
import { timeText } from "./times.mjs";

const ORDER = Object.keys(TEXTS.en.titles);

/**
 * @param {{verified?: object, content?: object, failure?: object, byNode?: boolean}} outcome
 * @param {"en" | "zh"} language
 * @returns {Node[]}
 */
export function resultOf({ verified, content, failure, byNode }, language) {
  const texts = TEXTS[language];
  if (failure) return failed(failure, verified, texts, language);
  const differs = Boolean(content?.differences.length);
  // For the registry's own node the page states the authority more plainly.
  const facts = verified.notProven.filter(({ kind }) => !(byNode && kind === "authority"));
  const all = [...(content ? [] : [{ kind: "uncompared" }]), ...facts, ...(content?.notProven ?? [])];
  return [
    ...verdict(verified, content, differs, texts),
    ...(differs ? [differences(content.differences, texts)] : []),
    dataset(verified, texts),
    grantees(verified, texts, language),
    steps(verified.steps, null, texts, language),
    make("h2", texts.notProven),
    list("ul", "unproven", [...(byNode ? [texts.nodeWord] : []), ...all.map((fact) => notProvenText(fact, language))]),
  ];
}

/** Return the verdict with its warnings, which are never green. */
function verdict({ summary }, content, differs, texts) {
  if (differs) return [banner("bad", texts.different, texts.differentNote)];
  const files = content ? texts.filesVerified(content.matched) : texts.noFiles;
  const buts = [
    ...(summary.isLatest ? [] : [texts.butOlder(summary.version, summary.latestVersion)]),
    ...(summary.withdrawnAt === null ? [] : [texts.butWithdrawn(timeText(summary.withdrawnAt))]),
  ];
  const title = buts.length ? texts.verifiedBut(buts) : texts.verified;
  return [banner(buts.length ? "warning" : "good", title, texts.verifiedNote, files)];
}

function failed(failure, verified, texts, language) {
  const { number, message } = failure;
  const said = refusalText(failure, language);
  const detail = [...(said ? [make("p", said)] : []), inEnglish(`${message} ${failure.hint ?? ""}`.trim())];
  if (!number) {
    const parts = [banner("unknown", texts.unclear), ...detail];
    return verified ? [...parts, steps(verified.steps, null, texts, language)] : parts;
  }
  return [
    banner("bad", texts.refused, texts.refusedNote(number, texts.titles[ORDER[number - 1]])),
    ...detail,
    steps([], number, texts, language),
  ];
}

function banner(kind, title, ...notes) {
  const whole = make("div");
  whole.className = "banner";
  whole.dataset.kind = kind;
  whole.append(make("h2", title), ...notes.map((note) => make("p", note)));
  return whole;
}

function dataset({ chainId, datasetId, record, metadata, summary }, texts) {
  const { version, latestVersion, registrant, registeredAt, registeredBlock, firstOwner, owner, withdrawnAt } = summary;
  const name = typeof metadata?.name === "string" ? metadata.name : null;
  const isWithdrawn = withdrawnAt !== null;
  const rows = [
    ...(name ? [[texts.name, name]] : []),
    [texts.id, datasetId, "code"],
    [texts.version, texts.versionOf(version, latestVersion), summary.isLatest ? undefined : "em"],
    [texts.contentRoot, summary.contentRoot, "code"],
    [texts.registeredBy, registrant, "code"],
    [texts.registeredAt, `${timeText(registeredAt)}, ${texts.block(registeredBlock)}`],
    ...(firstOwner === registrant ? [] : [[texts.firstOwner, firstOwner, "code"]]),
    [texts.owner, owner, "code"],
    [texts.status, isWithdrawn ? texts.withdrawnAt(timeText(withdrawnAt)) : texts.active, isWithdrawn ? "em" : undefined],
    [texts.asOf, `${timeText(record.block.time)}, ${texts.block(record.block.number)}`],
    [texts.chain, `eip155:${chainId}`],
  ];
  const facts = make("dl");
  for (const [term, value, kind] of rows) {
    const detail = make("dd", kind ? undefined : value);
    if (kind) detail.append(make(kind, value));
    facts.append(make("dt", term), detail);
  }
  const whole = make("div");
  whole.append(make("h2", texts.dataset), facts);
  return whole;
}

/** Return the access that the bundle shows: at its block, and now if that differs. */
function grantees({ record }, texts, language) {
  const later = accessAt(record, Math.floor(Date.now() / 1000));
  const rows = accessAt(record, record.block.time).map((one, at) => ({ ...one, stateNow: later[at].state }));
  const whole = make("div");
  whole.append(make("h2", texts.access), make("p", texts.accessAsOf(record.block.number, timeText(record.block.time))));
  if (rows.length) {
    const items = list("ul", "access", rows.map((one) => accessText(one, language)));
    [...items.children].forEach((item, at) => (item.dataset.state = rows[at].state));
    whole.append(items);
  } else {
    whole.append(make("p", texts.nobody));
  }
  return whole;
}

/** Return all steps; those that succeeded say what they prove. */
function steps(done, failedAt, texts, language) {
  const byTitle = new Map(done.map((step) => [step.title, step]));
  const items = ORDER.map((title, index) => {
    const step = byTitle.get(title)?.facts ? byTitle.get(title) : null;
    const item = make("li");
    const kind = step || index + 1 < failedAt ? "good" : index + 1 === failedAt ? "bad" : "none";
    item.dataset.kind = kind;
    const sentence = step ? provesText(step, language) : failedAt === null ? texts.skipped : texts.notCarriedOut;
    item.append(make("b", texts.titles[title]), " ");
    if (step || kind === "none") item.append(make("span", sentence));
    return item;
  });
  const whole = make("div");
  const numbered = make("ol");
  numbered.className = "steps";
  numbered.append(...items);
  whole.append(make("h2", texts.steps), numbered);
  return whole;
}

function differences(found, texts) {
  const table = make("table");
  const head = make("tr");
  head.append(...[texts.path, texts.expected, texts.found].map((title) => make("th", title)));
  const rows = found.map(({ path, expected, found: here }) => {
    const row = make("tr");
    row.append(make("td", path === "." ? texts.whole : path));
    for (const [digest, otherwise] of [[expected, texts.extra], [here, texts.missing]]) {
      const cell = make("td");
      cell.append(digest ? make("code", digest) : otherwise);
      row.append(cell);
    }
    return row;
  });
  table.append(make("caption", texts.differences), head, ...rows);
  const scroll = make("div");
  scroll.className = "scroll";
  scroll.append(table);
  return scroll;
}

function list(kind, name, lines) {
  const whole = make(kind);
  whole.className = name;
  whole.append(...lines.map((line) => make("li", line)));
  return whole;
}

/** Return the verifier's own message, which is in English only. */
function inEnglish(text) {
  const paragraph = make("p", text);
  paragraph.className = "detail";
  paragraph.lang = "en";
  return paragraph;
}

function make(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}
