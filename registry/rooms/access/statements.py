"""The statement about requests for access: an EIP-712 struct that an owner signs for the gateway alone."""

from __future__ import annotations

from typing import ClassVar

from registry.ethereum.eip712 import BoolField, DatasetIdField, Uint64Field
from registry.rooms.datasets.statements import DatasetStatement


class RequestPolicy(DatasetStatement):
    """State whether the gateway accepts requests for access to a dataset; the policy issued last counts."""

    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/request-policy"

    dataset_id: DatasetIdField
    accepted: BoolField
    issued_at: Uint64Field
    deadline: Uint64Field
