"""The data that a client needs for signing: the chain, the contracts, and the EIP-712 domains and types."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Response
from pydantic import Field

from api.answers import Answer, Height
from api.deps import GatewayRoomsDep, NodeDep, in_thread
from api.problems import documented
from api.strict import StrictRoute
from registry.base.primitives import Address, Bytes32
from registry.ethereum.eip712 import Domain

router = APIRouter(tags=["operations"], route_class=StrictRoute)


class Eip712Domain(Answer):
    """The domain of typed data (EIP-712)."""

    name: str
    version: str
    chain_id: int = Field(ge=1)
    verifying_contract: Address


class TypedField(Answer):
    """A field of a struct of typed data (EIP-712)."""

    name: str
    type: str = Field(examples=["uint256"])


class MessageType(Answer):
    """The data that a wallet needs to sign a message, and the path to which it is posted."""

    contract: str = Field(description="The contract that takes it; sign for the `domain` of this contract.")
    path: str = Field(description="The path to post it to, with the message's `datasetId` in place of {dataset_id}.")
    types: dict[str, list[TypedField]] = Field(description="The `types` of eth_signTypedData_v4.")


class Contract(Answer):
    """A contract: its address and domain."""

    address: Address
    block_number: Height | None = Field(
        description="The height at which it was deployed, or from which its logs are read."
    )
    domain: Eip712Domain


class DeploymentAnswer(Answer):
    """The chain and the contracts that this gateway serves, with their EIP-712 domains."""

    chain_id: int = Field(ge=1)
    genesis_hash: Bytes32
    chain_time: int | None = Field(
        description="Unix seconds: the approximate timestamp of the next block. Deadlines are compared with it."
    )
    contracts: dict[str, Contract] = Field(description="The contracts by name.")
    messages: dict[str, MessageType] = Field(
        description="The messages that can be signed, by the name of their struct."
    )


@router.get(
    "/v1/deployment",
    summary="The chain, the contracts, and how to sign for them",
    operation_id="deployment",
    response_model=DeploymentAnswer,
    responses=documented(),
)
async def deployment(node: NodeDep, rooms: GatewayRoomsDep) -> Response:
    """Return the chain and the contracts that this gateway serves, and how a wallet signs for them (EIP-712).

    A message `m` is signed by `eth_signTypedData_v4` with `domain` = `contracts[messages[m].contract].domain`,
    `types` = `messages[m].types` and `primaryType` = `m`; then it is posted to `messages[m].path`.
    """
    where = node.deployment
    chain_time = await in_thread(node.chain_time)
    answer = {
        "chainId": where.chain_id,
        "genesisHash": str(where.genesis_hash),
        "chainTime": chain_time,
        "contracts": {
            name: {
                "address": str(contract.address),
                "blockNumber": contract.block_number,
                "domain": Domain(name, where.chain_id, contract.address).to_json(),
            }
            for name, contract in where.contracts.items()
        },
        "messages": {
            struct.__name__: {"contract": struct.CONTRACT, "path": struct.PATH, "types": struct.types()}
            for room in rooms
            for struct in room.signed
        },
    }
    return Response(orjson.dumps(answer), media_type="application/json")
