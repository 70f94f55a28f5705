"""One deployment per database, after any crash, and only our own contracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from registry.base.errors import Conflict, InvalidInput, Unavailable
from registry.base.primitives import Address
from registry.chain.client import Chain
from registry.devchain.embedded import EmbeddedChain
from registry.relay.deploy import ensure_deployed, read_deployment
from registry.relay.observe import DEEPEST_REORGANISATION
from registry.relay.signing import Signer
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets import room as datasets
from registry.rooms.deployment import Deployment
from registry.rooms.room import Rooms
from registry.storage import Storage, open_storage
from tests.fixtures.altered import Altered
from tests.fixtures.crashes import Crash
from tests.fixtures.databases import ensure_migrated_sqlite
from tests.fixtures.waiting import PATIENCE
from tests.relay.faults import Crashing, losing_answers
from tests.relay.world import RELAYER_KEY, SETTINGS, World

SIGNER = Signer(RELAYER_KEY)


def deploy(
    chain: Chain,
    storage: Storage,
    *,
    holder: str = "world",
    given: Mapping[str, Address] | None = None,
    rooms: Rooms = ROOMS,
) -> Deployment:
    return ensure_deployed(
        chain, storage, rooms, SIGNER, replace(SETTINGS, deploy_seconds=PATIENCE), holder=holder, given=given
    )


CONTRACTS = len(ROOMS.protocols.contracts)
"""All are deployed, each by one transaction."""


def opened(folder: Path, name: str) -> Storage:
    """Open a new database with all tables."""
    ensure_migrated_sqlite(folder / f"{name}.db")
    return open_storage(f"sqlite:///{folder}/{name}.db")


def transactions(chain: Chain) -> int:
    return int(chain.request("eth_getTransactionCount", [str(SIGNER.address), "latest"]), 16)


def test_a_second_start_finds_the_first_ones_contracts(chain: Chain, storage: Storage) -> None:
    first = deploy(chain, storage)
    before = transactions(chain)
    assert deploy(chain, storage) == first
    assert transactions(chain) == before


def test_two_processes_that_start_at_once_deploy_once(chain: Chain, storage: Storage) -> None:
    before = transactions(chain)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda holder: deploy(chain, storage, holder=holder), ("one", "two"))
    assert first == second
    assert transactions(chain) == before + CONTRACTS


def test_a_deployment_whose_answer_is_lost_is_not_made_twice(embedded: Chain, sqlite_storage: Storage) -> None:
    with pytest.raises(Unavailable):
        deploy(losing_answers(embedded, 1), sqlite_storage)
    assert deploy(embedded, sqlite_storage).contracts
    assert transactions(embedded) == CONTRACTS


@pytest.mark.parametrize("after", [False, True])
def test_a_start_that_dies_anywhere_is_finished_by_the_next(
    sqlite_storage: Storage, tmp_path: Any, after: bool
) -> None:
    """R1, R2: at each exchange in turn."""
    for moment in count():
        storage = opened(tmp_path, str(moment))
        chain = EmbeddedChain.in_memory(SIGNER.address)
        left = [moment]

        def tick(left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] == -1

        try:
            deploy(Crashing(chain, tick, after=after), storage)
        except Crash:
            deploy(chain, storage)
            assert transactions(chain) == CONTRACTS
            continue
        finally:
            storage.close()
            chain.close()
        break
    assert moment > 5


def test_a_database_of_another_chain_is_refused(embedded: Chain, sqlite_storage: Storage) -> None:
    deploy(embedded, sqlite_storage)
    other = EmbeddedChain.in_memory(SIGNER.address)
    with pytest.raises(Conflict, match="belongs to chain"):
        deploy(other, sqlite_storage)
    other.close()


def test_contracts_that_are_given_are_taken_if_they_are_ours(embedded: Chain, tmp_path: Path) -> None:
    made = deploy(embedded, opened(tmp_path, "a"))
    given = deploy(embedded, opened(tmp_path, "b"), given=made.addresses)
    assert given.addresses == made.addresses
    assert transactions(embedded) == CONTRACTS


def test_contracts_that_are_not_given_are_deployed_for_those_that_are(embedded: Chain, tmp_path: Path) -> None:
    registry = {"DatasetRegistry": deploy(embedded, opened(tmp_path, "a")).address_of("DatasetRegistry")}
    made = deploy(embedded, opened(tmp_path, "b"), given=registry)
    assert made.address_of("DatasetRegistry") == registry["DatasetRegistry"]
    assert transactions(embedded) == 2 * CONTRACTS - 1
    assert deploy(embedded, opened(tmp_path, "b")) == made


def test_a_version_with_more_rooms_deploys_their_contracts_alone(embedded: Chain, sqlite_storage: Storage) -> None:
    former = deploy(embedded, sqlite_storage, rooms=Rooms([datasets.ROOM]))
    assert list(former.contracts) == ["DatasetRegistry"]
    assert transactions(embedded) == 1
    for _ in range(DEEPEST_REORGANISATION + 10):
        embedded.request("evm_mine", [])
    present = deploy(embedded, sqlite_storage)
    assert transactions(embedded) == CONTRACTS
    assert present.contracts["DatasetRegistry"] == former.contracts["DatasetRegistry"]
    assert present.contracts["AccessGrants"].block_number > former.contracts["DatasetRegistry"].block_number
    assert deploy(embedded, sqlite_storage, rooms=Rooms([datasets.ROOM])) == former


def test_a_name_that_no_contract_has_is_refused(embedded: Chain, sqlite_storage: Storage) -> None:
    with pytest.raises(InvalidInput, match="Registrar") as caught:
        deploy(embedded, sqlite_storage, given={"Registrar": Address(b"\x01" * 20)})
    assert "DatasetRegistry, AccessGrants" in caught.value.hint
    assert transactions(embedded) == 0


def test_contracts_that_are_given_and_are_not_ours_are_refused(small_world: World, tmp_path: Path) -> None:
    registry = small_world.deployment.address_of("DatasetRegistry")
    grants = small_world.deployment.address_of("AccessGrants")
    for number, (first, second) in enumerate([(grants, registry), (Address(b"\x01" * 20), grants)]):
        storage = opened(tmp_path, str(number))
        with pytest.raises(Conflict, match="not the code of"):
            deploy(small_world.chain, storage, given={"DatasetRegistry": first, "AccessGrants": second})
        assert read_deployment(storage, ROOMS.protocols) is None


def test_grants_of_another_registry_are_refused(small_world: World, tmp_path: Path) -> None:
    other = deploy(small_world.chain, opened(tmp_path, "one")).address_of("AccessGrants")
    registry = small_world.deployment.address_of("DatasetRegistry")
    storage = opened(tmp_path, "two")
    with pytest.raises(Conflict, match="another DatasetRegistry"):
        deploy(small_world.chain, storage, given={"DatasetRegistry": registry, "AccessGrants": other})
    with pytest.raises(Conflict, match="refers to a DatasetRegistry, whose address is not given"):
        deploy(small_world.chain, storage, given={"AccessGrants": other})


def test_other_addresses_than_the_databases_own_are_refused(small_world: World) -> None:
    for name in small_world.deployment.contracts:
        with pytest.raises(Conflict, match="belongs to the contracts"):
            deploy(small_world.chain, small_world.storage, given={name: Address(b"\x01" * 20)})


def test_code_that_differs_in_one_byte_is_refused(small_world: World) -> None:
    def alter(method: str, params: Sequence[object], carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        return answer[:100] + ("1" if answer[100] == "0" else "0") + answer[101:] if method == "eth_getCode" else answer

    with pytest.raises(Conflict, match="not the code of"):
        deploy(Altered(small_world.chain, alter), small_world.storage)
