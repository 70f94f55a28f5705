"""Measure rendering a certificate's page and extracting the bundle from it.

Timed in one process, as in a node: the first page, which loads the libraries' tables, and the median of those after it.
A page with a rare character needs a subset of the whole typeface, which takes longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from statistics import median

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.certificate import attachment
from registry.certificate.facts import Block, Facts, Permission
from registry.certificate.page import render
from registry.rooms.datasets.messages import Source
from scripts.figures import Figure

GOAL_MS = 300.0
REPEATS = 9
BUNDLE = b'{"format":"tdr-evidence/1","padding":"' + sha256(b"evidence").hexdigest().encode() * 640 + b'"}'
"""The size of the bundle of an ordinary dataset: about 40 kB."""


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


FACTS = Facts(
    chain_id=1337,
    registry=Address(_digest("registry")[:20]),
    dataset_id=DatasetId(_digest("dataset")),
    version=2,
    latest_version=2,
    name="西雅图气象观测数据集 (Seattle weather)",
    license="CC-BY-4.0",
    content_root=Bytes32(_digest("content")),
    metadata_hash=Bytes32(_digest("metadata")),
    files=12,
    size=3_456_789,
    sources=(Source(dataset_id=DatasetId(_digest("source")), version=3),),
    claimant=Address(_digest("alice")[:20]),
    owner=Address(_digest("bob")[:20]),
    registered=Block(1234, 1_795_406_400),
    as_of=Block(2048, 1_795_409_999),
    as_of_hash=Bytes32(_digest("block")),
    withdrawn_because=None,
    permissions=(Permission(Address(_digest("carol")[:20]), ("read", "derive"), 1_800_000_000),),
    is_complete=True,
)


def run() -> Iterator[Figure]:
    """Yield the figures."""
    first = _milliseconds(lambda: _page(FACTS))
    usual = median(_milliseconds(lambda: _page(FACTS)) for _ in range(REPEATS))
    yield Figure("certificate: a page", usual, "ms", goal=f"<= {GOAL_MS:.0f}", met=usual <= GOAL_MS)
    yield Figure("certificate: the first page of a process", first, "ms")
    rare = replace(FACTS, name="𠮷野家 龘")
    yield Figure("certificate: a page with a rare character", _milliseconds(lambda: _page(rare)), "ms")
    page = _page(FACTS)
    reading = median(_milliseconds(lambda: attachment.read(page)) for _ in range(REPEATS))
    yield Figure("certificate: taking the bundle out", reading, "ms")
    yield Figure("certificate: size besides the bundle", (len(page) - len(BUNDLE)) / 1000, "kB")


def _page(facts: Facts) -> bytes:
    return render(facts, BUNDLE, f"https://registry.example/verify#{facts.dataset_id}@{facts.version}")


def _milliseconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.name}: {figure.value:.1f} {figure.unit}")
