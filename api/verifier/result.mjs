/** What came of a verification, as elements of the page. Texts enter as text only: a bundle can hold anything. */

import { notProvenText, provesText, timeText } from "./sentences.mjs";
import { TEXTS } from "./texts.mjs";

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
  const notes = content && !differs ? [texts.filesVerified(content.matched)] : [];
  // Of the registry's own node the page says more plainly whose word it is.
  const facts = verified.notProven.filter(({ kind }) => !(byNode && kind === "word"));
  const unproven = [...facts, ...(content?.notProven ?? [])].map((fact) => notProvenText(fact, language));
  return [
    differs
      ? banner("bad", texts.different, texts.differentNote)
      : banner("good", texts.verified, texts.verifiedNote, ...notes),
    ...(differs ? [differences(content.differences, texts)] : []),
    dataset(verified, texts),
    steps(verified.steps, null, texts, language),
    make("h2", texts.notProven),
    list("ul", "unproven", [...(byNode ? [texts.nodeWord] : []), ...unproven]),
  ];
}

function failed(failure, verified, texts, language) {
  const { number, message, hint } = failure;
  if (!number) {
    const parts = [banner("unknown", texts.unclear), inEnglish(`${message} ${hint ?? ""}`.trim())];
    return verified ? [...parts, steps(verified.steps, null, texts, language)] : parts;
  }
  return [
    banner("bad", texts.refused, texts.refusedNote(number, texts.titles[ORDER[number - 1]])),
    inEnglish(`${message} ${hint ?? ""}`.trim()),
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

function dataset({ chainId, datasetId, record, metadata, version }, texts) {
  const { dataset: now, block, access } = record;
  const name = typeof metadata?.name === "string" ? metadata.name : null;
  const rows = [
    ...(name ? [[texts.name, name]] : []),
    [texts.id, datasetId, "code"],
    [texts.owner, now.owner, "code"],
    [texts.version, String(now.version)],
    ...(version !== null && version !== now.version ? [[texts.shown, String(version)]] : []),
    [texts.status, now.withdrawn ? texts.withdrawn : texts.active, now.withdrawn ? "em" : undefined],
    [texts.contentRoot, now.contentRoot, "code"],
    [texts.asOf, `${texts.block(block.number)}, ${timeText(block.time)}`],
    [texts.chain, `eip155:${chainId}`],
    ...access.map((one) => [texts.access, `${one.grantee}: ${texts.accessOf(one, timeText)}`, "code"]),
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

/** All steps: those that succeeded say what they prove. */
function steps(done, failedAt, texts, language) {
  const byTitle = new Map(done.map((step) => [step.title, step]));
  const items = ORDER.map((title, index) => {
    const step = byTitle.get(title);
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

/** The verifier's own message, which has one language. */
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
