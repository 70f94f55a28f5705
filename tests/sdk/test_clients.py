"""The two clients at one real gateway: equal results for equal calls, and equal errors."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from inspect import signature
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

import registry
from registry import AsyncClient, Client
from registry.base.canonical import metadata_hash
from registry.base.errors import ContractRefused, InvalidInput, NotFound, RegistryError, Unavailable
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.messages import Registration
from registry.rooms.datasets.statements import Publication, Retraction
from registry.rooms.protocols import PROTOCOLS
from registry.sdk.methods import RoomClient
from registry.sdk.rooms.access import operations
from registry.sdk.rooms.datasets.models import Published
from registry.sdk.signing import Signed, sign
from tests.api.world import ANALYST, FAR, OWNER, STRANGER, Gateway, grant, manifest_of, open_node, request, running
from tests.cli.conftest import UNREACHABLE
from tests.fixtures.waiting import undisturbed

METADATA = {"name": "Birds"}
MANIFEST = manifest_of(birds=b"1,2\n")
ABSENT = DatasetId(b"\xee" * 32)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with open_node(tmp_path_factory.mktemp("node")) as node, running(node) as found:
        yield found


@pytest.fixture(scope="module")
def dataset_id(gateway: Gateway) -> DatasetId:
    """A dataset with public documents, a request and a grant, each sent by one of the clients."""
    url = str(gateway.http.base_url)
    message = gateway.registration(content_root=MANIFEST.root, metadata_hash=Bytes32(metadata_hash(METADATA)))
    found = message.dataset_id
    with Client(url) as client:
        client.wait(client.send(_signed(gateway, message), _published(gateway, message).members()))
        client.wait(client.send(sign(request(found), gateway.deployment, ANALYST.sign)), until_final=False)

    async def give() -> None:
        async with AsyncClient(url) as client:
            receipt = await client.send(_signed(gateway, grant(found)))
            done = await client.wait(receipt)
            assert (done.status in ("mined", "final"), bytes(done.subject.id)) == (True, bytes(found))

    asyncio.run(give())
    return found


def _signed(gateway: Gateway, message: Any) -> Signed[Any]:
    return sign(message, gateway.deployment, OWNER.sign)


def _published(gateway: Gateway, message: Registration) -> Published:
    statement = Publication(
        dataset_id=message.dataset_id,
        version=1,
        content_root=message.content_root,
        metadata_hash=message.metadata_hash,
        deadline=FAR,
    )
    return Published(_signed(gateway, statement), METADATA, MANIFEST)


def both(gateway: Gateway, name: str, *arguments: Any, **named: Any) -> tuple[Any, Any]:
    """Return what a method of the two clients gives at one state, or raises; `datasets.get` is a method of a room."""
    url = str(gateway.http.base_url)

    async def ask() -> Any:
        async with AsyncClient(url) as client:
            asked = attrgetter(name)(client)(*arguments, **named)
            return [item async for item in asked] if isinstance(asked, AsyncIterator) else await asked

    def outcome_of(call: Any) -> Any:
        try:
            found = call()
        except RegistryError as error:
            return type(error), str(error)
        return list(found) if isinstance(found, Iterator) else found

    with Client(url) as client:
        return undisturbed(
            lambda: outcome_of(lambda: attrgetter(name)(client)(*arguments, **named)),
            lambda: outcome_of(lambda: asyncio.run(ask())),
        )


def test_equal_calls_have_equal_results(gateway: Gateway, dataset_id: DatasetId) -> None:
    file_hash = Bytes32(sha256(b"1,2\n").digest())
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("deployment", (), {}),
        ("datasets.get", (dataset_id,), {}),
        ("datasets.get", (dataset_id.hex()[:8],), {}),
        ("datasets.state", (dataset_id,), {}),
        ("datasets.list", (), {"limit": 1}),
        ("datasets.list", (), {"owner": str(OWNER.address)}),
        ("datasets.versions", (dataset_id,), {}),
        ("datasets.history", (dataset_id,), {}),
        ("datasets.claims", (file_hash,), {}),
        ("datasets.lineage", (dataset_id,), {"direction": "up"}),
        ("datasets.description", (dataset_id, "dcat"), {}),
        ("access.grants", (dataset_id,), {"grantee": ANALYST.address}),
        ("access.requests", (dataset_id,), {}),
        ("access.grantee", (dataset_id, ANALYST.address), {}),
        ("access.check", (dataset_id, STRANGER.address), {"at": 1_800_000_000}),
        ("datasets.publications", (dataset_id,), {}),
        ("access.request_policy", (dataset_id,), {}),
        ("datasets.manifest", (MANIFEST.root,), {}),
        ("datasets.metadata", (Bytes32(metadata_hash(METADATA)),), {}),
        ("datasets.metadata", (MANIFEST.root,), {}),
        ("datasets.evidence", (dataset_id,), {"grantees": [ANALYST.address]}),
    ]
    for name, arguments, named in calls:
        sync_result, async_result = both(gateway, name, *arguments, **named)
        assert sync_result == async_result, name
        assert not isinstance(sync_result, tuple), (name, sync_result)
    with Client(str(gateway.http.base_url)) as client:
        assert client.datasets.get(dataset_id).owner == OWNER.address
        assert client.datasets.get(dataset_id).metadata == METADATA
        assert [claim.path for claim in client.datasets.claims(file_hash).claims] == ["birds.csv"]
        assert client.access.check(dataset_id, ANALYST.address).allowed
        assert client.access.grantee(dataset_id, ANALYST.address).requests == 1
        assert client.datasets.metadata(MANIFEST.root) is None
        assert client.health().chain_id == gateway.deployment.chain_id
        assert client.deployment() == gateway.deployment
        assert client.datasets.certificate(dataset_id).page.startswith(b"%PDF-")
        assert client.datasets.credential(dataset_id)["type"][0] == "VerifiableCredential"


def test_equal_calls_have_equal_errors(gateway: Gateway, dataset_id: DatasetId) -> None:
    unsigned = Signed(grant(dataset_id, 1), bytes(65))
    calls: list[tuple[str, tuple[Any, ...], type[RegistryError]]] = [
        ("datasets.get", (ABSENT,), NotFound),
        ("datasets.get", ("zz",), InvalidInput),
        ("datasets.manifest", (Bytes32(b"\xee" * 32),), NotFound),
        ("receipt", ("0" * 32,), NotFound),
        ("send", (unsigned,), ContractRefused),
    ]
    for name, arguments, kind in calls:
        sync_error, async_error = both(gateway, name, *arguments)
        assert sync_error == async_error, name
        assert sync_error[0] is kind, (name, sync_error)


def test_statements_are_accepted_from_both_clients(gateway: Gateway, dataset_id: DatasetId) -> None:
    url = str(gateway.http.base_url)
    with Client(url) as client:
        issued_at = client.chain_time()
        assert issued_at is not None
        policy = RequestPolicy(dataset_id=dataset_id, accepted=False, issued_at=issued_at, deadline=FAR)
        assert client.access.set_request_policy(_signed(gateway, policy)).accepted is False
        state = client.datasets.get(dataset_id)

    async def retract() -> set[str]:
        statement = Retraction(
            dataset_id=dataset_id,
            version=1,
            content_root=state.content_root,
            metadata_hash=Bytes32(bytes(32)),
            reason="",
            deadline=FAR,
        )
        async with AsyncClient(url) as client:
            return {item.state for item in (await client.datasets.retract(_signed(gateway, statement))).items}

    assert asyncio.run(retract()) == {"retracted", "public"}


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    def methods(client: object) -> dict[str, list[str]]:
        public = {name: getattr(client, name) for name in dir(client) if not name.startswith("_")}
        return {name: list(signature(value).parameters) for name, value in public.items() if callable(value)}

    def rooms(client: object) -> dict[str, dict[str, list[str]]]:
        named = {name: getattr(client, name) for name in dir(client) if not name.startswith("_")}
        return {name: methods(room) for name, room in named.items() if isinstance(room, RoomClient)}

    with Client(UNREACHABLE) as client:
        other = AsyncClient(UNREACHABLE)
        assert methods(client) == methods(other)
        assert rooms(client) == rooms(other)
        assert rooms(client).keys() == {room.name for room in PROTOCOLS.rooms}
        assert rooms(client)["access"]["check"] == ["dataset_id", "address", "at"]
    assert signature(Client).parameters.keys() == signature(AsyncClient).parameters.keys()


def test_a_method_of_a_room_has_the_docstring_of_its_operation() -> None:
    with Client(UNREACHABLE) as client:
        assert client.access.check.__doc__ == operations.check.__doc__
        assert client.access.check.__doc__


@pytest.mark.parametrize("address", [UNREACHABLE, UNREACHABLE.replace("://", "://me:secret@")])
def test_a_gateway_that_does_not_run_is_named_without_its_password(address: str) -> None:
    async def ask() -> None:
        async with AsyncClient(address) as client:
            await client.health()

    with pytest.raises(Unavailable) as caught:
        asyncio.run(ask())
    assert UNREACHABLE in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_bundle_from_a_client_is_verified(gateway: Gateway, dataset_id: DatasetId, tmp_path: Path) -> None:
    file = tmp_path / "birds.csv"
    with Client(str(gateway.http.base_url)) as client:
        bundle = client.datasets.evidence(dataset_id)
        trust = registry.TrustOptions(nodes=[client.rpc_url])
    file.write_bytes(b"1,2\n")
    same = registry.verify(bundle, trust, registry.Files([file]), MANIFEST)
    assert (type(same), same.verified, same.record["datasetId"]) == (registry.Report, True, str(dataset_id))
    file.write_bytes(b"1,3\n")
    changed = registry.verify(bundle, trust, registry.Files([file]), MANIFEST)
    assert (changed.verified, [difference.path for difference in changed.differences]) == (False, ["birds.csv"])


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, registry; print([name for name in sys.modules if name.startswith(('registry.', 'httpx'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_package_offers_what_it_names() -> None:
    for name in registry.__all__:
        assert getattr(registry, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Gateway'"):
        registry.Gateway  # noqa: B018


def test_an_address_is_checked_before_anything_is_sent() -> None:
    with pytest.raises(InvalidInput, match="http://"):
        AsyncClient("localhost:8000")
    assert Address(bytes(20)) != OWNER.address
