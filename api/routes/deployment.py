"""What a client must know before it signs: the chain, the contracts, and the EIP-712 domains and types."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final, get_type_hints

import orjson
from fastapi import APIRouter, Response
from fastapi.routing import APIRoute

from api import answers
from api.deps import NodeDep, in_thread
from api.problems import documented
from api.routes import publications, submissions
from api.strict import StrictRoute
from registry.ethereum.eip712 import Domain, Signable

router = APIRouter(tags=["operations"], route_class=StrictRoute)


def _paths(*routers: APIRouter) -> Iterator[tuple[type[Signable], str]]:
    """Yield each struct that a route of these takes signed, and the route's path."""
    for route in itertools.chain.from_iterable(router.routes for router in routers):
        body = get_type_hints(route.endpoint).get("body") if isinstance(route, APIRoute) else None
        if body is not None and isinstance(route, APIRoute):
            yield body.model_fields["message"].annotation, route.path


_MESSAGES: Final[dict[str, dict[str, Any]]] = {
    struct.__name__: {"contract": struct.CONTRACT, "path": path, "types": struct.types()}
    for struct, path in _paths(
        submissions.publications, submissions.others, publications.publications, publications.others
    )
}


@router.get(
    "/v1/deployment",
    summary="Which chain and contracts, and what to sign for them",
    operation_id="deployment",
    response_model=answers.DeploymentAnswer,
    responses=documented(),
)
async def deployment(node: NodeDep) -> Response:
    """The chain and the contracts that this gateway serves, and what a wallet signs for them (EIP-712).

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
        "messages": _MESSAGES,
    }
    return Response(orjson.dumps(answer), media_type="application/json")
