/** What a verification established, in words: English as the command line has it, and Chinese. */

const YEAR_9999 = 253_402_300_799;

/** A block's time. @param {number} time Unix seconds, UTC */
export function timeText(time) {
  if (time > YEAR_9999) return `Unix time ${time}`;
  return `${new Date(1000 * time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The day of a time, or the time where it has no date. @param {number} time Unix seconds, UTC */
export function dayText(time) {
  return time > YEAR_9999 ? timeText(time) : timeText(time).slice(0, 10);
}

const ENGLISH = {
  absent: "Not carried out: the bundle holds nothing of it.",
  steps: {
    form: () => "The bundle is in the one form of tdr-evidence/1.",
    blocks: ({ count }) => `Headers whose hashes are those by which blocks name their parents: ${count}.`,
    trust: ({ number, hash, word }) =>
      `Block ${number} (${hash}) and those before it are the chain's, by ${ENGLISH.words[word.kind](word)}.`,
    receipts: ({ count }) => `Receipts proven to be in these blocks: ${count}.`,
    history: ({ count }) => `Events from the registration on, each following the one before: ${count}.`,
    contracts: ({ address, release }) => `${address} has the code of DatasetRegistry in release ${release}.`,
    head: ({ number }) => `No version, transfer or withdrawal up to block ${number} was left out.`,
    access: ({ count }) => `No grant or revocation was left out of the grantees shown: ${count}.`,
    record: ({ time }) => `The record is the dataset's as of ${timeText(time)}.`,
    signatures: ({ count, of }) => `Events with their signer's own signature: ${count} of ${of}.`,
    content: ({ version }) => `Content and metadata shown are those of version ${version}.`,
  },
  words: {
    hashes: ({ count }) => (count > 1 ? "the block hashes that you gave" : "the block hash that you gave"),
    nodes: ({ names }) => names.join(" and "),
    checkpoints: ({ name, threshold, witnesses }) =>
      threshold ? `${name} and ${threshold} of ${witnesses} witnesses` : `${name} alone, no witness`,
  },
  notProven: {
    truth: () => "That the content is true, lawful, or fit for any purpose.",
    word: ({ word }) =>
      `That the chain has these blocks, by any other word than this: ${ENGLISH.words[word.kind](word)}.`,
    persons: () => "Who the persons behind the addresses are.",
    later: ({ number, time }) =>
      `Anything after block ${number} (${timeText(time)}). Times are those that the blocks state.`,
    leftOut: () =>
      "That no later version, transfer, withdrawal, grant or revocation was left out: the bundle has no state.",
    code: ({ address }) => `That ${address} has the code of DatasetRegistry: the bundle has no state.`,
    address: ({ address }) =>
      `That ${address} is the contract you mean, and not one deployed to deceive: compare its address.`,
    others: ({ count }) => `Who ${count ? `other than the ${count} named ` : ""}has access.`,
    files: () => "Which files the content root stands for.",
    rest: ({ count }) => `Anything of the ${count} files of the dataset that were not given.`,
    unshown: () =>
      "Anything of files that the bundle does not show, a second one with a path that it shows included: " +
      "only a whole manifest tells that there is none.",
    unchecked: ({ count, names }) =>
      `Anything of ${count} files here that the bundle does not show and that were not compared: ${names}.`,
    superseded: ({ version, latest }) => `That version ${version} still holds: version ${latest} followed it.`,
    withdrawn: ({ time, reason }) =>
      "That the dataset may still be relied on: its owner withdrew it, " +
      `${timeText(time)}, saying ${JSON.stringify(reason)}.`,
    uncompared: () => "That any file is what was registered: none was given, so no content was compared.",
    unnamed: () =>
      "Which file differs: the bundle does not list the files. A private dataset's are told only by its manifest.",
  },
};

const CHINESE = {
  absent: "未执行：证据包中没有此项。",
  steps: {
    form: () => "证据包符合 tdr-evidence/1 的唯一形式。",
    blocks: ({ count }) => `${count} 个区块头的哈希已重新计算，与区块引用其父块的哈希一致。`,
    trust: ({ number, hash, word }) =>
      `区块 ${number}（${hash}）及其之前的区块属于该链，依据是${CHINESE.words[word.kind](word)}。`,
    receipts: ({ count }) => `${count} 份交易收据确实在这些区块中。`,
    history: ({ count }) => `${count} 个事件自登记起前后相接。`,
    contracts: ({ address, release }) => `${address} 具有 ${release} 版 DatasetRegistry 合约的代码。`,
    head: ({ number }) => `截至区块 ${number}，没有遗漏任何版本、转让或撤回。`,
    access: ({ count }) => `所列 ${count} 位被授权人的授权与撤销均无遗漏。`,
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
  notProven: {
    truth: () => "内容是否真实、合法或适合任何用途。",
    word: ({ word }) => `除此之外，是否另有依据表明这些区块属于该链：${CHINESE.words[word.kind](word)}。`,
    persons: () => "这些地址背后的人是谁。",
    later: ({ number, time }) => `区块 ${number}（${timeText(time)}）之后的任何事。时间以区块所载为准。`,
    leftOut: () => "之后的版本、转让、撤回、授权或撤销是否有遗漏：证据包不含状态证明。",
    code: ({ address }) => `${address} 是否具有 DatasetRegistry 合约的代码：证据包不含状态证明。`,
    address: ({ address }) => `${address} 是否就是您所指的合约，而非为欺骗而部署的合约：请核对其地址。`,
    others: ({ count }) => (count ? `除所列 ${count} 位之外还有谁有访问权。` : "谁有访问权。"),
    files: () => "内容根对应哪些文件。",
    rest: ({ count }) => `数据集中未提供的其余 ${count} 个文件。`,
    unshown: () => "证据包未列出的文件，包括与所列文件同路径的另一文件：只有完整的清单才能排除。",
    unchecked: ({ count, names }) => `此处另有 ${count} 个文件不在证据包所列之中，未作比对：${names}。`,
    superseded: ({ version, latest }) => `第 ${version} 版是否仍然有效：其后已有第 ${latest} 版。`,
    withdrawn: ({ time, reason }) =>
      `该数据集是否仍可依赖：其权利人已于 ${timeText(time)} 将其撤回，理由为 ${JSON.stringify(reason)}。`,
    uncompared: () => "任何文件是否就是所登记的内容：未提供文件，未作比对。",
    unnamed: () => "究竟哪个文件不同：证据包未列出文件。私有数据集须有其清单才能判断。",
  },
};

const LANGUAGES = { en: ENGLISH, zh: CHINESE };

/**
 * What a step proves, or that it was not carried out.
 *
 * @param {{title: string, facts: object | null}} step
 * @param {"en" | "zh"} language
 */
export function provesText({ title, facts }, language = "en") {
  return facts === null ? LANGUAGES[language].absent : LANGUAGES[language].steps[title](facts);
}

/** What is not proven. @param {{kind: string}} fact @param {"en" | "zh"} language */
export function notProvenText(fact, language = "en") {
  return LANGUAGES[language].notProven[fact.kind](fact);
}
