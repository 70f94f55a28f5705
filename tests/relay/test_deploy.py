"""One deployment a database, whatever dies when; and only contracts that are ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from registry.base.errors import Conflict, Unavailable
from registry.base.primitives import Address
from registry.chain.client import Chain
from registry.devchain.embedded import EmbeddedChain
from registry.relay.deploy import ensure_deployed
from registry.relay.signing import Signer
from registry.rooms.deployment import Deployment
from registry.storage import Storage, migrate, open_storage
from tests.fixtures.altered import Altered
from tests.fixtures.crashes import Crash
from tests.fixtures.waiting import PATIENCE
from tests.relay.faults import Crashing, losing_answers
from tests.relay.world import RELAYER_KEY, SETTINGS, World

SIGNER = Signer(RELAYER_KEY)


def deploy(
    chain: Chain, storage: Storage, *, holder: str = "world", given: tuple[Address, Address] | None = None
) -> Deployment:
    return ensure_deployed(chain, storage, SIGNER, SETTINGS, holder=holder, given=given, timeout=PATIENCE)


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
    assert transactions(chain) == before + 2


def test_a_deployment_whose_answer_is_lost_is_not_made_twice(embedded: Chain, sqlite_storage: Storage) -> None:
    with pytest.raises(Unavailable):
        deploy(losing_answers(embedded, 1), sqlite_storage)
    assert deploy(embedded, sqlite_storage).contracts
    assert transactions(embedded) == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_start_that_dies_anywhere_is_finished_by_the_next(
    sqlite_storage: Storage, tmp_path: Any, after: bool
) -> None:
    """R1, R2: at each exchange in turn."""
    for moment in count():
        storage = open_storage(f"sqlite:///{tmp_path}/{moment}.db")
        migrate(storage)
        chain = EmbeddedChain.in_memory(SIGNER.address)
        left = [moment]

        def tick(left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] == -1

        try:
            deploy(Crashing(chain, tick, after=after), storage)
        except Crash:
            deploy(chain, storage)
            assert transactions(chain) == 2
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


def test_contracts_that_are_given_are_taken_if_they_are_ours(embedded: Chain, tmp_path: Any) -> None:
    first, second = (open_storage(f"sqlite:///{tmp_path}/{name}.db") for name in ("a", "b"))
    migrate(first)
    migrate(second)
    made = deploy(embedded, first)
    given = deploy(embedded, second, given=tuple(made.addresses.values()))
    assert given.addresses == made.addresses
    assert transactions(embedded) == 2


def test_contracts_that_are_given_and_are_not_ours_are_refused(small_world: World, tmp_path: Any) -> None:
    made = small_world.deployment
    storage = open_storage(f"sqlite:///{tmp_path}/other.db")
    migrate(storage)
    registry, grants = made.addresses.values()
    for wrong in ((grants, registry), (Address(b"\x01" * 20), grants)):
        other = open_storage(f"sqlite:///{tmp_path}/{wrong[0].hex()}.db")
        migrate(other)
        with pytest.raises(Conflict, match="not that of"):
            deploy(small_world.chain, other, given=wrong)


def test_grants_of_another_registry_are_refused(small_world: World, tmp_path: Any) -> None:
    storages = [open_storage(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two")]
    for storage in storages:
        migrate(storage)
    other = deploy(small_world.chain, storages[0])
    with pytest.raises(Conflict, match="another registry"):
        deploy(
            small_world.chain,
            storages[1],
            given=(small_world.deployment.address_of("DatasetRegistry"), other.address_of("AccessGrants")),
        )


def test_other_addresses_than_the_databases_own_are_refused(small_world: World) -> None:
    with pytest.raises(Conflict, match="belongs to the contracts"):
        deploy(small_world.chain, small_world.storage, given=(Address(b"\x01" * 20), Address(b"\x02" * 20)))


def test_code_that_differs_in_one_byte_is_refused(small_world: World) -> None:
    def alter(method: str, params: Sequence[object], carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        return answer[:100] + ("1" if answer[100] == "0" else "0") + answer[101:] if method == "eth_getCode" else answer

    with pytest.raises(Conflict, match="not that of"):
        deploy(Altered(small_world.chain, alter), small_world.storage)
