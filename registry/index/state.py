"""The index's block: one row, which every transaction of the index reads first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select, update

from registry.base.errors import Conflict, Unavailable
from registry.base.primitives import Address, Bytes32
from registry.feed import outbox
from registry.index.tables import BLOCKS, CONTRACTS, STATE
from registry.rooms.deployment import ContractAt, Deployment
from registry.rooms.projection import Projection
from registry.storage.bulk import insert_rows
from registry.storage.insert import insert_if_new
from registry.timers.schedule import drop_derived


class Cursor(NamedTuple):
    """The index's block.

    Attributes:
        height: All events up to this block are in the index, and no later ones.
        block_hash: The block's hash.
        block_time: Its time, Unix seconds, UTC.
        final_height: Blocks up to this height are never reverted; never above the height.
    """

    height: int
    block_hash: Bytes32
    block_time: int
    final_height: int


class NotIndexed(Unavailable):
    """The index has not begun yet."""


SELECT_CURSOR: Final = select(STATE.c.height, STATE.c.block_hash, STATE.c.block_time, STATE.c.final_height)


def read_cursor(connection: Connection) -> Cursor:
    """Return the index's block, in the state that this transaction sees.

    Raises:
        NotIndexed: There is no index yet.
    """
    cursor = find_cursor(connection)
    if cursor is None:
        raise NotIndexed("The index has not begun yet.", hint="Start the indexer (tdr up, or tdr indexer), and wait.")
    return cursor


def find_cursor(connection: Connection) -> Cursor | None:
    """Return the index's block; None if there is no index yet."""
    row = connection.execute(SELECT_CURSOR).one_or_none()
    return None if row is None else Cursor(*row)


def lock_cursor(connection: Connection) -> Cursor | None:
    """Return the index's block and lock it: until this transaction ends, other writers of the index wait."""
    row = connection.execute(SELECT_CURSOR.with_for_update()).one_or_none()
    return None if row is None else Cursor(*row)


def lock_if_at(connection: Connection, cursor: Cursor, deployment: Deployment) -> bool:
    """Lock the index, and return whether it is still at a block; if not, another indexer was faster.

    Raises:
        Conflict: A newer version of the program has added contracts meanwhile, whose events this one would lose.
    """
    if lock_cursor(connection) != cursor:
        return False
    require_deployment(connection, deployment)
    return True


def write_cursor(connection: Connection, cursor: Cursor) -> None:
    """Move the index to a block."""
    connection.execute(update(STATE).values(cursor._asdict()))


def begin(connection: Connection, deployment: Deployment, projections: Sequence[Projection], cursor: Cursor) -> None:
    """Empty the index; it is then at a block before the first event.

    The outbox keeps the events, and compares them with those that come again.

    The row of the state comes first: from then on no other indexer gets past it. Where there was none to lock, another
    process may have begun meanwhile: its row is kept, and with it all that it has written.
    """
    connection.execute(delete(STATE))
    begun = connection.execute(
        insert_if_new(connection, STATE)
        .values(id=1, chain_id=deployment.chain_id, genesis_hash=deployment.genesis_hash, **cursor._asdict())
        .returning(STATE.c.id)
    ).one_or_none()
    if begun is None:
        return
    of_rooms = (table for projection in projections for table in (*projection.tables, *projection.derived))
    for table in (CONTRACTS, BLOCKS, *of_rooms):
        connection.execute(delete(table))
    outbox.release_events(connection, 0)
    drop_derived(connection, 0)
    add_contracts(connection, deployment.addresses)
    keep_blocks(connection, [(cursor.height, cursor.block_hash, cursor.block_time)], oldest=0)


def add_contracts(connection: Connection, addresses: Mapping[str, Address]) -> None:
    """Note whose events are in the index from now on."""
    insert_rows(connection, CONTRACTS, ("name", "address"), [*addresses.items()])


def keep_blocks(connection: Connection, blocks: list[tuple[int, Bytes32, int]], *, oldest: int) -> None:
    """Store blocks (height, hash, time) in which to find a common ancestor; delete those below a height."""
    connection.execute(delete(BLOCKS).where(BLOCKS.c.number < oldest))
    insert_rows(connection, BLOCKS, ("number", "block_hash", "timestamp"), blocks)


def require_deployment(connection: Connection, deployment: Deployment) -> dict[str, ContractAt]:
    """Require that the index, if there is one, is that of a deployment.

    Returns:
        The contracts of the deployment whose events are not in the index: a newer version of the program has more.

    Raises:
        Conflict: It is that of another one.
    """
    row = connection.execute(select(STATE.c.chain_id, STATE.c.genesis_hash)).one_or_none()
    if row is None:
        return {}
    _require_equal("chain id", row.chain_id, deployment.chain_id)
    _require_equal("genesis block", row.genesis_hash, deployment.genesis_hash)
    rows = connection.execute(select(CONTRACTS.c.name, CONTRACTS.c.address))
    present: dict[str, Address] = {name: address for name, address in rows}  # noqa: C416
    for name, address in present.items():
        _require_equal(f"{name} at", address, deployment.addresses.get(name))
    return {name: contract for name, contract in deployment.contracts.items() if name not in present}


def _require_equal(noun: str, present: object, expected: object) -> None:
    if present != expected:
        raise Conflict(
            f"The index in this database is of the {noun} {present}, but {expected} is configured.",
            hint="Use the database that belongs to this chain, or a new one.",
        )
