"""The sentences of reports in English and Chinese, by code: what each step proves or refuses, and what is not proven.

The second verifier has the same texts in api/verifier/sentences.mjs, and the tests of conformance hold both equal.

The sentences of the rooms' own codes are in the rooms' proof.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

from registry.base.times import time_text
from registry.evidence.steps import Step, StepResult
from registry.evidence.trust import Authority
from registry.rooms.proof_adapter import NotProven, Texts
from registry.rooms.protocol import Protocols

Language = Literal["en", "zh"]

ABSENT: Final[Mapping[Language, str]] = {
    "en": "Not carried out: the bundle has no data for this step.",
    "zh": "未执行：证据包中没有此项。",
}
"""The sentence for a step that was not carried out because the bundle has no data for it."""

TITLES: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": tuple(step.title for step in Step),
    "zh": ("形式", "区块", "信任", "收据", "历史", "合约", "链头", "访问", "记录", "签名", "内容"),
}
"""The steps' titles, in the order of their numbers."""

REFUSALS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "form": "The file is not a tdr-evidence/1 bundle in canonical form, or it was altered.",
        "blocks": "The hashes of the block headers, or their order, do not match.",
        "trust": "The chosen trust does not show that the bundle's blocks belong to the chain.",
        "receipts": "The receipts are not proven to be in their blocks.",
        "history": "The events do not follow one another: some were left out, or are about another dataset.",
        "contracts": "The code of the contract is not that of any release of this project.",
        "head": (
            "The events do not lead to the head that the contract has: a version, transfer or withdrawal is missing. "
            "Ask for a newer bundle, or for one from another source."
        ),
        "access": (
            "The events do not lead to the access that the contract has: a grant or revocation is missing. "
            "Ask for a newer bundle, or for one from another source."
        ),
        "record": "The record that the bundle states does not follow from its events.",
        "signatures": "A signed message does not lead to its event, or another account signed it.",
        "content": "The manifest, a file or the metadata does not have the hash that the version was registered with.",
    },
    "zh": {
        "form": "该文件不是形式正确的 tdr-evidence/1 证据包，或已被改动。",
        "blocks": "区块头的哈希或前后关系不符。",
        "trust": "所选的依据不能表明证据包中的区块属于该链。",
        "receipts": "不能证明交易收据在其区块之中。",
        "history": "事件不能前后相接：有遗漏，或不属于该数据集。",
        "contracts": "合约的代码不是本项目任何版本的代码。",
        "head": "事件得出的链头与合约所存不符：遗漏了版本、转让或撤回。请索取更新的证据包，或向其他来源索取。",
        "access": "事件得出的访问权与合约所存不符：遗漏了授权或撤销。请索取更新的证据包，或向其他来源索取。",
        "record": "证据包所载的记录与其事件不符。",
        "signatures": "有签名消息与其事件不符，或签署人不对。",
        "content": "清单、文件或元数据与该版本所登记的哈希不符。",
    },
}
"""What it means that a step failed, by the step's title. The error itself, in English, says what exactly was wrong."""

_TEXTS: Final[Texts] = {
    "en": {
        "form": lambda name: f"The bundle is in the canonical form of {name}.",
        "blocks": lambda count: f"Block headers whose hashes were recomputed and match the parent hashes: {count}.",
        "trust": lambda number, block, authority: (
            f"Block {number} ({block}) and the blocks before it belong to the chain, according to "
            f"{authority_text(authority)}."
        ),
        "receipts": lambda count: f"Receipts proven to be in these blocks: {count}.",
        "history": lambda count: f"Events from the registration on, each following the one before: {count}.",
        "contracts": lambda address, contract, release: f"{address} has the code of {contract} in release {release}.",
        "record": lambda time: f"The record is the dataset's as of {time_text(time)}.",
        "signatures": lambda count, of: f"Events with the signature of their signer: {count} of {of}.",
        "content": lambda version: f"Content and metadata shown are those of version {version}.",
        "authority.hashes": lambda count: f"the block hash{'es' if count > 1 else ''} that you gave",
        "authority.nodes": lambda names: " and ".join(name for name in names),
        "authority.checkpoints": lambda name, threshold, witnesses: (
            f"{name} and {threshold} of {witnesses} witnesses" if threshold else f"{name} alone, no witness"
        ),
        "truth": lambda: "That the content is true, lawful, or fit for any purpose.",
        "authority": lambda authority: (
            f"That the chain has these blocks, by any authority other than {authority_text(authority)}."
        ),
        "persons": lambda: "Who the persons behind the addresses are.",
        "later": lambda number, time: (
            f"Anything after block {number} ({time_text(time)}). Times are those that the blocks state."
        ),
        "leftOut": lambda: "That no later event was left out: the bundle has no state.",
        "code": lambda address, contract: f"That {address} has the code of {contract}: the bundle has no state.",
        "address": lambda address: (
            f"That {address} is the contract you mean, and not one deployed to deceive: compare its address."
        ),
        "superseded": lambda version, latest: f"That version {version} still holds: version {latest} followed it.",
        "files": lambda: "Which files have the content root.",
    },
    "zh": {
        "form": lambda name: f"证据包符合 {name} 的唯一形式。",
        "blocks": lambda count: f"{count} 个区块头的哈希已重新计算，与区块引用其父块的哈希一致。",
        "trust": lambda number, block, authority: (
            f"区块 {number}（{block}）及其之前的区块属于该链，依据是{authority_text(authority, 'zh')}。"
        ),
        "receipts": lambda count: f"{count} 份交易收据确实在这些区块中。",
        "history": lambda count: f"{count} 个事件自登记起前后相接。",
        "contracts": lambda address, contract, release: f"{address} 具有 {release} 版 {contract} 合约的代码。",
        "record": lambda time: f"所示记录即该数据集截至 {time_text(time)} 的状态。",
        "signatures": lambda count, of: f"{of} 个事件中有 {count} 个附有签署人本人的签名。",
        "content": lambda version: f"所示内容与元数据属于第 {version} 版。",
        "authority.hashes": lambda count: "您提供的区块哈希",
        "authority.nodes": lambda names: f"节点 {'、'.join(names)} 的一致答复",
        "authority.checkpoints": lambda name, threshold, witnesses: (
            f"{name} 以及 {witnesses} 位见证人中至少 {threshold} 位的签名" if threshold else f"仅 {name}，没有见证人"
        ),
        "truth": lambda: "内容是否真实、合法或适合任何用途。",
        "authority": lambda authority: (
            f"除此之外，是否另有依据表明这些区块属于该链：{authority_text(authority, 'zh')}。"
        ),
        "persons": lambda: "这些地址背后的人是谁。",
        "later": lambda number, time: f"区块 {number}（{time_text(time)}）之后的任何事。时间以区块所载为准。",
        "leftOut": lambda: "之后的事件是否有遗漏：证据包不含状态证明。",
        "code": lambda address, contract: f"{address} 是否具有 {contract} 合约的代码：证据包不含状态证明。",
        "address": lambda address: f"{address} 是否就是您所指的合约，而非为欺骗而部署的合约：请核对其地址。",
        "superseded": lambda version, latest: f"第 {version} 版是否仍然有效：其后已有第 {latest} 版。",
        "files": lambda: "内容根对应哪些文件。",
    },
}


@cache
def texts_of(protocols: Protocols) -> Texts:
    """Return the sentences of the engine and of the rooms, by language and code."""
    adapters = [room.proof for room in protocols.rooms if room.proof is not None]
    return {
        language: {**own, **{code: text for adapter in adapters for code, text in adapter.texts[language].items()}}
        for language, own in _TEXTS.items()
    }


def step_text(result: StepResult, protocols: Protocols, language: Language = "en") -> str:
    """Return the sentence for what a step proves, or that it was not carried out."""
    if result.facts is None:
        return ABSENT[language]
    return texts_of(protocols)[language][result.step.title](**result.facts)


def refusal_text(step: Step, language: Language = "en") -> str:
    """Return what it means that a step failed."""
    return REFUSALS[language][step.title]


def not_proven_text(item: NotProven, protocols: Protocols, language: Language = "en") -> str:
    """Return the sentence for something that is not proven."""
    return texts_of(protocols)[language][item.code](**item.values)


def authority_text(authority: Authority, language: Language = "en") -> str:
    """Return who vouched, as a phrase to follow "according to": for example "the block hash that you gave"."""
    return _TEXTS[language][f"authority.{authority.code}"](**authority.values)
