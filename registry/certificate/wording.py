"""The fixed texts of the certificate, and the cleaning of untrusted texts for print."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

MAX_CHARACTERS: Final = 300

RIGHTS: Final[Mapping[str, str]] = {
    "read": "读取",
    "derive": "衍生",
    "aggregate": "汇聚",
    "reproduce": "复制",
    "distribute": "分发",
    "display": "展示",
    "extract": "提取",
    "index": "索引",
}
"""The rights in Chinese."""

COMPLETE: Final = (
    "证明：何账户于何时登记了上述内容根，以及截至上述区块的全部版本、转让与撤回。不证明：内容的真实性，以及此后的变化。",
    (
        "Proven: who registered this content root, when, and every version, transfer and withdrawal up to the block. "
        "Not proven: that the content is true, and what came later."
    ),
)
"""What a bundle with the contracts' state proves, and what it does not prove."""

INCOMPLETE: Final = (
    "证明：何账户于何时登记了上述内容根。不证明：内容的真实性、记录的完整性，以及此后的变化。",
    (
        "Proven: who registered this content root, and when. "
        "Not proven: that the content is true, that no event was left out, and what came later."
    ),
)
"""What a bundle without the contracts' state proves, and what it does not prove."""


def plain(text: str) -> str:
    """Return an untrusted text on one line, without control characters and those that change the writing direction."""
    words = " ".join(text[: 4 * MAX_CHARACTERS].split())
    kept = (char for char in words if char == " " or unicodedata.category(char)[0] not in "CZ")
    return "".join(kept)[:MAX_CHARACTERS]
