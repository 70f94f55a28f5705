"""The run on a network where gas costs money: the relayer's spending for strangers, and the waits of others."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import func, select

from registry.base.primitives import Address, DatasetId, keccak256
from registry.ethereum.eip712 import Message
from registry.keys.signer import Signer
from registry.node.key import create_relayer
from registry.node.monitor import FIGURES_SECONDS
from registry.relay.budgets import ALL_ACCOUNTS, HOUR
from registry.relay.fees import GWEI
from registry.relay.funding import ether
from registry.relay.tables import GAS_SPENT
from registry.sdk.client import Client
from registry.sdk.signing import Signed
from registry.storage import open_storage
from scripts.demo import Node
from scripts.strangers.burning import BUDGET, BURNING, FICKLE, WRONG, Burners
from scripts.strangers.honest import work
from scripts.strangers.kinds import load
from scripts.strangers.priced import PricedChain
from scripts.strangers.target import Target, account
from scripts.strangers.verdict import Attempts, Check, Memory, none_of, of_attempts, of_honest, of_waits, some_of
from scripts.strangers.victim import prepare

FUNDED: Final = 20 * 10**18
MAX_FEE_GWEI: Final = 20
OWNERS: Final = 5
FICKLE_WALLETS: Final = 4
ROUND_GAS: Final = 700_000
"""The approximate gas charged to an honest owner for a registration, a grant and a revocation."""
IDLE_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of a run.

    Args:
        seconds: The duration of the load.
        seed: The seed of the load.
        files: The number of files of the victim's large dataset.
        gas_per_hour: The total budget; the others have the default proportions.
    """

    seconds: float
    seed: int
    files: int
    gas_per_hour: int


def run(plan: Plan, folder: Path) -> tuple[Attempts, list[Check]]:
    """Run the load on a node whose relayer has a known balance, and compare it with the balance on the chain.

    Args:
        plan: The parameters of the run.
        folder: The folder for the node's data.

    Returns:
        The outcomes of the strangers' attempts by kind, and the verdict.
    """
    data = folder / "node"
    data.mkdir(mode=0o700)
    relayer = create_relayer(data / "relayer.key").address
    with PricedChain.started() as chain:
        chain.give(relayer, FUNDED)
        node = Node(data, "--rpc", chain.url, environment=settings(plan.gas_per_hour))
        node.start()
        try:
            return _load(plan, node, chain, relayer, data / "registry.db")
        finally:
            node.stop()


def settings(gas_per_hour: int) -> dict[str, str]:
    """Return a node's variables for a gas budget, in the proportions of the defaults."""
    return {
        "TDR_GAS_PER_HOUR": str(gas_per_hour),
        "TDR_GAS_PER_ACCOUNT": str(gas_per_hour // 5),
        "TDR_GAS_PER_DATASET": str(gas_per_hour // 10),
        "TDR_GAS_FOR_NEWCOMERS": str(gas_per_hour // 2),
        "TDR_MAX_FEE_GWEI": str(MAX_FEE_GWEI),
        "TDR_CONTRACT_WALLETS": "true",
    }


def _load(plan: Plan, node: Node, chain: PricedChain, relayer: Address, database: Path) -> tuple[Attempts, list[Check]]:
    seconds, seed = plan.seconds, plan.seed
    target = prepare(node.url, seed, plan.files)
    owners = [account(f"{seed} owner {number}") for number in range(OWNERS)]
    _register(target, owners, seed)
    chain.catch_up()
    burners = _burners(chain, target, seed)
    _idle(target.url)
    begun, first, charged = time.time(), chain.height(), _charged(database)
    memory = Memory(node.pid)
    memory.start()
    context = multiprocessing.get_context("spawn")
    outcomes: multiprocessing.SimpleQueue[dict[str, Counter[str]]] = context.SimpleQueue()
    strangers = context.Process(target=_strangers, args=(burners, target, seed, seconds, outcomes))
    strangers.start()
    rounds = plan.gas_per_hour // 2 // 2 // ROUND_GAS  # Half of the budget that is reserved for owners with a history.
    waits = work(target, seed, seconds, owners, pause=max(0.5, seconds / max(rounds, 1)))
    attempts = outcomes.get()
    strangers.join()
    with httpx.Client(base_url=target.url, timeout=60.0) as http:
        honest = of_honest(http, waits)
    _idle(target.url)
    hours = int(time.time() // HOUR) - int(begun // HOUR) + 1
    verdict = [
        *of_attempts(attempts),
        *_of_refusals(attempts),
        *honest,
        some_of("bundles of the victim, each verified", len(waits.verified)),
        *_of_money(chain, relayer, first, hours * plan.gas_per_hour, _charged(database) - charged),
        *of_waits(waits),
        memory.stop(),
    ]
    return attempts, verdict


def _strangers(
    burners: Burners,
    target: Target,
    seed: int,
    seconds: float,
    outcomes: multiprocessing.SimpleQueue[dict[str, Counter[str]]],
) -> None:
    outcomes.put(asyncio.run(load(burners.kinds(), target, seed, seconds)))


def _burners(chain: PricedChain, target: Target, seed: int) -> Burners:
    burning = Address(keccak256(f"{seed} burning".encode())[:20])
    fickle = [Address(keccak256(f"{seed} fickle {number}".encode())[:20]) for number in range(FICKLE_WALLETS)]
    chain.put(burning, BURNING)
    for wallet in fickle:
        chain.put(wallet, FICKLE)
    greedy = account(f"{seed} greedy")
    (dataset,) = _register(target, [greedy], seed)
    return Burners(burning, fickle, f"{seed} greedy", dataset)


def _register(target: Target, owners: list[Signer], seed: int) -> list[DatasetId]:
    """Register a dataset for each owner; return the ids once they are on the chain."""
    chance = random.Random(f"{seed} registered before")
    with Client(target.url) as gateway:
        signed: list[Signed[Message]] = [
            target.signed(target.registration_of(owner.address, chance), owner) for owner in owners
        ]
        for receipt in [gateway.send(one) for one in signed]:
            gateway.wait(receipt)
    return [DatasetId(one.message.subject.id) for one in signed]


def _idle(url: str) -> None:
    """Wait until all accepted messages are in blocks."""
    end = time.monotonic() + IDLE_SECONDS
    with Client(url) as gateway:
        while True:
            time.sleep(2 * FIGURES_SECONDS)  # The reported state may be this old.
            relayer = gateway.health().relayer
            if relayer.in_flight == relayer.oldest_unmined_seconds == 0:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"The relayer still had something to do after {IDLE_SECONDS:g} s.")


def _charged(database: Path) -> int:
    """Return the gas that the node's database has charged to all budgets."""
    storage = open_storage(f"sqlite:///{database}")
    try:
        with storage.read() as connection:
            total = select(func.coalesce(func.sum(GAS_SPENT.c.gas), 0)).where(GAS_SPENT.c.scope == ALL_ACCOUNTS)
            return int(connection.execute(total).scalar_one())
    finally:
        storage.close()


def _of_refusals(attempts: Attempts) -> list[Check]:
    found = Counter[str]()
    for outcomes in attempts.values():
        found.update(outcomes)
    refused = sum(count for outcome, count in found.items() if BUDGET in outcome)
    wrong = sum(count for outcome, count in found.items() if outcome.startswith(WRONG))
    return [
        some_of("strangers' attempts refused by a budget", refused),
        none_of("refusals without a problem object or the right Retry-After", wrong),
    ]


def _of_money(chain: PricedChain, relayer: Address, first: int, budget: int, charged: int) -> list[Check]:
    last = chain.height()
    lost = chain.balance(relayer, first) - chain.balance(relayer, last)
    spent = chain.spent(relayer, first + 1, last)
    worst = budget * MAX_FEE_GWEI * GWEI
    return [
        Check("relayer's transactions; failed; fillers", f"{spent.transactions}; {spent.failed}; {spent.fillers}"),
        Check("gas used by them, of their gas limits", f"{spent.gas:,} of {spent.gas_limits:,}"),
        Check("gas charged to the budget", f"{charged:,}", f"= {spent.gas_limits:,}", charged == spent.gas_limits),
        Check("gas charged to the budget, of its size", f"{charged:,}", f"<= {budget:,}", charged <= budget),
        Check("relayer's balance spent", ether(lost), f"= {ether(spent.fees)} of fees", lost == spent.fees),
        Check("relayer's balance spent, of the worst case", ether(lost), f"<= {ether(worst)}", 0 < lost <= worst),
    ]
