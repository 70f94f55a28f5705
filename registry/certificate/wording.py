"""The fixed texts of the certificate, in Chinese and English. There is nothing else in this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Label = tuple[str, str]
"""A text in Chinese and in English."""

TITLE: Final = "数据登记证书 Certificate of Data Registration"
HEADING: Final[Label] = ("数据登记证书", "CERTIFICATE OF DATA REGISTRATION")
STATEMENT: Final[Label] = (
    "兹证明下述数据集的内容已由其权利账户登记于区块链，登记记录如下",
    (
        "This certifies that the content of the dataset below was registered on a blockchain "
        "by the account that held its title."
    ),
)

DATASET_ID: Final[Label] = ("数据集编号", "Dataset ID")
CONTENT_ROOT: Final[Label] = ("内容根", "Content root (Merkle root)")
VERSION: Final[Label] = ("版本", "Version")
OWNER: Final[Label] = ("权利账户", "Owner")
REGISTERED: Final[Label] = ("登记时间", "Registered")
ON_CHAIN: Final[Label] = ("链上位置", "On chain")
CONTENT: Final[Label] = ("内容", "Content")
LICENCE: Final[Label] = ("许可", "Licence")
DERIVED_FROM: Final[Label] = ("来源", "Derived from")
ACCESS: Final[Label] = ("有效授权", "Access in force")
WITHDRAWN_BECAUSE: Final[Label] = ("撤回原因", "Withdrawn because")

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

COMPLETE: Final[Label] = (
    "证明：何账户于何时登记了上述内容根，以及截至上述区块的全部版本、转让与撤回。不证明：内容的真实性，以及此后的变化。",
    (
        "Proven: who registered this content root, when, and every version, transfer and withdrawal up to the block. "
        "Not proven: that the content is true, and what came later."
    ),
)
"""What a bundle with the contracts' state proves, and what it does not prove."""

INCOMPLETE: Final[Label] = (
    "证明：何账户于何时登记了上述内容根。不证明：内容的真实性、记录的完整性，以及此后的变化。",
    (
        "Proven: who registered this content root, and when. "
        "Not proven: that the content is true, that no event was left out, and what came later."
    ),
)
"""What a bundle without the contracts' state proves, and what it does not prove."""
