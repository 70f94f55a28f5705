/** The sentences of reports: in English, the same as those of the command line, and in Chinese. */

import { ROOMS } from "./rooms/catalogue.mjs";
import { timeText } from "./times.mjs";

const ENGLISH = {
  absent: "Not carried out: the bundle has no data for this step.",
  steps: {
    form: () => "The bundle is in the canonical form of tdr-evidence/1.",
    blocks: ({ count }) => `Block headers whose hashes were recomputed and match the parent hashes: ${count}.`,
    trust: ({ number, hash, word }) =>
      `Block ${number} (${hash}) and the blocks before it belong to the chain, according to ${ENGLISH.words[word.kind](word)}.`,
    receipts: ({ count }) => `Receipts proven to be in these blocks: ${count}.`,
    history: ({ count }) => `Events from the registration on, each following the one before: ${count}.`,
    contracts: ({ address, contract, release }) => `${address} has the code of ${contract} in release ${release}.`,
    record: ({ time }) => `The record is the dataset's as of ${timeText(time)}.`,
    signatures: ({ count, of }) => `Events with the signature of their signer: ${count} of ${of}.`,
    content: ({ version }) => `Content and metadata shown are those of version ${version}.`,
  },
  words: {
    hashes: ({ count }) => (count > 1 ? "the block hashes that you gave" : "the block hash that you gave"),
    nodes: ({ names }) => names.join(" and "),
    checkpoints: ({ name, threshold, witnesses }) =>
      threshold ? `${name} and ${threshold} of ${witnesses} witnesses` : `${name} alone, no witness`,
  },
  states: {
    neverGranted: "never granted", scheduled: "not begun", active: "in force", expired: "expired", revoked: "revoked",
  },
  byNow: (state) => `; by now ${state}`,
  term: (rights, start, expiry) => `; ${rights.join(", ")}; from ${start} until ${expiry}`,
  ended: (end) => `, ended ${end}`,
  notProven: {
    truth: () => "That the content is true, lawful, or fit for any purpose.",
    authority: ({ word }) =>
      `That the chain has these blocks, by any authority other than ${ENGLISH.words[word.kind](word)}.`,
    persons: () => "Who the persons behind the addresses are.",
    later: ({ number, time }) =>
      `Anything after block ${number} (${timeText(time)}). Times are those that the blocks state.`,
    leftOut: () => "That no later event was left out: the bundle has no state.",
    code: ({ address, contract }) => `That ${address} has the code of ${contract}: the bundle has no state.`,
    address: ({ address }) =>
      `That ${address} is the contract you mean, and not one deployed to deceive: compare its address.`,
    files: () => "Which files have the content root.",
    rest: ({ count }) => `Anything about the ${count} files of the dataset that were not given.`,
    unshown: () =>
      "Anything about files that the bundle does not show, including a second file with a path that it shows: " +
      "only the whole manifest excludes that.",
    unchecked: ({ count, names }) =>
      `Anything about ${count} files here that the bundle does not show and that were not compared: ${names}.`,
    superseded: ({ version, latest }) => `That version ${version} still holds: version ${latest} followed it.`,
    uncompared: () => "That any file is what was registered: none was given, so no content was compared.",
    unnamed: () =>
      "Which file differs: the bundle does not list the files. For a private dataset, nothing can be determined without its manifest.",
  },
};

const RIGHTS_IN_CHINESE = {
  read: "读取", derive: "衍生", aggregate: "汇聚", reproduce: "复制", distribute: "分发", display: "展示", extract: "提取",
  index: "索引",
};
const rightInChinese = (right) => RIGHTS_IN_CHINESE[right] ?? right;

const CHINESE = {
  absent: "未执行：证据包中没有此项。",
  steps: {
    form: () => "证据包符合 tdr-evidence/1 的唯一形式。",
    blocks: ({ count }) => `${count} 个区块头的哈希已重新计算，与区块引用其父块的哈希一致。`,
    trust: ({ number, hash, word }) =>
      `区块 ${number}（${hash}）及其之前的区块属于该链，依据是${CHINESE.words[word.kind](word)}。`,
    receipts: ({ count }) => `${count} 份交易收据确实在这些区块中。`,
    history: ({ count }) => `${count} 个事件自登记起前后相接。`,
    contracts: ({ address, contract, release }) => `${address} 具有 ${release} 版 ${contract} 合约的代码。`,
    record: ({ time }) => `所示记录即该数据集截至 ${timeText(time)} 的状态。`,
    signatures: ({ count, of }) => `${of} 个事件中有 ${count} 个附有签署人本人的签名。`,
    content: ({ version }) => `所示内容与元数据属于第 ${version} 版。`,
  },
  words: {
    hashes: () => "您提供的区块哈希",
    nodes: ({ names }) => `节点 ${names.join("、")} 的一致答复`,
    checkpoints: ({ name, threshold, witnesses }) =>
      threshold ? `${name} 以及 ${witnesses} 位见证人中至少 ${threshold} 位的签名` : `仅 ${name}，没有见证人`,
  },
  states: { neverGranted: "从未授权", scheduled: "尚未开始", active: "有效", expired: "已到期", revoked: "已撤销" },
  byNow: (state) => `；目前${state}`,
  term: (rights, start, expiry) => `；${rights.map(rightInChinese).join("、")}；自 ${start} 至 ${expiry}`,
  ended: (end) => `，已于 ${end} 终止`,
  notProven: {
    truth: () => "内容是否真实、合法或适合任何用途。",
    authority: ({ word }) => `除此之外，是否另有依据表明这些区块属于该链：${CHINESE.words[word.kind](word)}。`,
    persons: () => "这些地址背后的人是谁。",
    later: ({ number, time }) => `区块 ${number}（${timeText(time)}）之后的任何事。时间以区块所载为准。`,
    leftOut: () => "之后的事件是否有遗漏：证据包不含状态证明。",
    code: ({ address, contract }) => `${address} 是否具有 ${contract} 合约的代码：证据包不含状态证明。`,
    address: ({ address }) => `${address} 是否就是您所指的合约，而非为欺骗而部署的合约：请核对其地址。`,
    files: () => "内容根对应哪些文件。",
    rest: ({ count }) => `数据集中未提供的其余 ${count} 个文件。`,
    unshown: () => "证据包未列出的文件，包括与所列文件同路径的另一文件：只有完整的清单才能排除。",
    unchecked: ({ count, names }) => `此处另有 ${count} 个文件不在证据包所列之中，未作比对：${names}。`,
    superseded: ({ version, latest }) => `第 ${version} 版是否仍然有效：其后已有第 ${latest} 版。`,
    uncompared: () => "任何文件是否就是所登记的内容：未提供文件，未作比对。",
    unnamed: () => "究竟哪个文件不同：证据包未列出文件。私有数据集须有其清单才能判断。",
  },
};

/** What it means that a step failed. The error itself, in English, says what exactly was wrong. */
const REFUSALS = {
  en: {
    form: "The file is not a tdr-evidence/1 bundle in canonical form, or it was altered.",
    blocks: "The hashes of the block headers, or their order, do not match.",
    trust: "The chosen trust does not show that the bundle's blocks belong to the chain.",
    receipts: "The receipts are not proven to be in their blocks.",
    history: "The events do not follow one another: some were left out, or are about another dataset.",
    contracts: "The code of the contract is not that of any release of this project.",
    head:
      "The events do not lead to the head that the contract has: a version, transfer or withdrawal is missing. " +
      "Ask for a newer bundle, or for one from another source.",
    access:
      "The events do not lead to the access that the contract has: a grant or revocation is missing. " +
      "Ask for a newer bundle, or for one from another source.",
    record: "The record that the bundle states does not follow from its events.",
    signatures: "A signed message does not lead to its event, or another account signed it.",
    content: "The manifest, a file or the metadata does not have the hash that the version was registered with.",
  },
  zh: {
    form: "该文件不是形式正确的 tdr-evidence/1 证据包，或已被改动。",
    blocks: "区块头的哈希或前后关系不符。",
    trust: "所选的依据不能表明证据包中的区块属于该链。",
    receipts: "不能证明交易收据在其区块之中。",
    history: "事件不能前后相接：有遗漏，或不属于该数据集。",
    contracts: "合约的代码不是本项目任何版本的代码。",
    head: "事件得出的链头与合约所存不符：遗漏了版本、转让或撤回。请索取更新的证据包，或向其他来源索取。",
    access: "事件得出的访问权与合约所存不符：遗漏了授权或撤销。请索取更新的证据包，或向其他来源索取。",
    record: "证据包所载的记录与其事件不符。",
    signatures: "有签名消息与其事件不符，或签署人不对。",
    content: "清单、文件或元数据与该版本所登记的哈希不符。",
  },
};

/** The common reasons in Chinese, by their kind; in English the error itself says them. */
const CHINESE_REASONS = {
  hashUnknown: ({ hash, height }) =>
    `证据包需要高度为 ${height} 的区块 ${hash}，但它不在您提供的哈希之中。请提供您从别处得知的该区块的哈希。`,
  chainUnnamed: ({ chainId }) => `证据包不含状态证明，无从表明这是链 ${chainId}：请同时提供链的编号。`,
  otherChain: ({ found, chainId }) => `证据包属于链 ${found}，而不是链 ${chainId}。`,
  otherContract: ({ found, address }) => `证据包所涉合约是 ${found}，而不是 ${address}。`,
  nodeDisagrees: ({ name, height }) => `节点 ${name} 在高度 ${height} 的区块与证据包中的不同。`,
  noCheckpoint: ({ hash, height }) => `证据包中没有高度为 ${height} 的区块 ${hash} 的检查点。`,
  tooFewWitnesses: ({ known, needed, height }) =>
    `高度为 ${height} 的检查点只有 ${known} 位见证人会签，需要 ${needed} 位。`,
  noTrust: () => "请选择凭谁的话认定区块，并提供所需的哈希或密钥文件。",
  unreachable: ({ url }) => `无法向 ${url} 查询。`,
  noAttachment: ({ count }) => `证书应附有一份证据包，但这份 PDF 附有 ${count} 份。请使用登记系统签发的原文件。`,
  notOneFile: ({ count, path }) =>
    `证据包中名为 ${JSON.stringify(path)} 的文件有 ${count} 个，无法确定与哪一个比对。请提供整个文件夹。`,
};

const LANGUAGES = { en: ENGLISH, zh: CHINESE };

/** Return the sentence for a code of the engine or of a room. */
function sentenceOf(code, own, language) {
  return own[code] ?? ROOMS.map(({ texts }) => texts[language][code]).find(Boolean);
}

/**
 * Return the sentence for what a step proves, or that it was not carried out.
 *
 * @param {{title: string, facts: object | null}} step
 * @param {"en" | "zh"} language
 */
export function provesText({ title, facts }, language = "en") {
  return facts === null ? LANGUAGES[language].absent : sentenceOf(title, LANGUAGES[language].steps, language)(facts);
}

/** Return the sentence for something that is not proven. @param {{kind: string}} fact @param {"en" | "zh"} language */
export function notProvenText(fact, language = "en") {
  return sentenceOf(fact.kind, LANGUAGES[language].notProven, language)(fact);
}

/**
 * Return one grantee's access as text: state at the bundle's block, current state if it differs, rights and term.
 *
 * @param {{grantee: string, state: string, stateNow: string, rights: string[], startsAt: number | null,
 *   expiresAt: number | null, endsAt: number | null}} access
 * @param {"en" | "zh"} language
 */
export function accessText({ grantee, state, stateNow, rights, startsAt, expiresAt, endsAt }, language = "en") {
  const { states, byNow, term, ended } = LANGUAGES[language];
  const now = stateNow === state ? "" : byNow(states[stateNow]);
  const end = endsAt < expiresAt ? ended(timeText(endsAt)) : "";
  const whole = startsAt === null ? "" : `${term(rights, timeText(startsAt), timeText(expiresAt))}${end}`;
  return `${grantee}${language === "zh" ? "：" : ": "}${states[state]}${now}${whole}`;
}

/**
 * Return why evidence was refused: the reason, or else what it means that the step failed.
 *
 * @param {{reason?: {kind: string} | null, number?: number | null}} failure
 * @param {"en" | "zh"} language
 * @returns {string} Empty if the error's own message, which is English, is enough.
 */
export function refusalText({ reason, number }, language = "en") {
  if (reason) return language === "zh" ? CHINESE_REASONS[reason.kind](reason) : "";
  return number ? Object.values(REFUSALS[language])[number - 1] : "";
}
