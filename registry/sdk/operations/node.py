"""Reading the state of a node, and the chain and contracts that it serves."""

from __future__ import annotations

from registry.base.primitives import Address, Bytes32
from registry.rooms.deployment import ContractAt, Deployment
from registry.sdk.exchange import Operation, Request, Response
from registry.sdk.models.node import Health
from registry.sdk.operations.parts import get

DEPLOYMENT = Request("GET", "/v1/deployment")


def deployment() -> Operation[Deployment]:
    """Return the operation that reads the chain that a gateway serves, and where the contracts are."""
    return Operation(DEPLOYMENT, _deployment)


def chain_time() -> Operation[int | None]:
    """Return the operation that reads the chain's time, Unix seconds; None if the gateway does not give it."""
    return Operation(DEPLOYMENT, _chain_time)


def health() -> Operation[Health]:
    """Return the operation that reads the state of a node."""
    return get(Health, "/v1/health")


def _deployment(response: Response) -> Deployment:
    document = response.json()
    contracts = {name: _contract(contract) for name, contract in _object(document["contracts"]).items()}
    return Deployment(_integer(document["chainId"]), Bytes32.parse(document["genesisHash"]), contracts)


def _contract(document: object) -> ContractAt:
    contract = _object(document)
    height = contract["blockNumber"]
    return ContractAt(Address.parse(str(contract["address"])), 0 if height is None else _integer(height))


def _chain_time(response: Response) -> int | None:
    seconds = response.json().get("chainTime")
    return None if seconds is None else _integer(seconds)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"expected a JSON object, got {type(value).__name__}")
    return value


def _integer(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"expected an integer of 0 or more, got {type(value).__name__}")
    return value
