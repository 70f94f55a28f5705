"""Make each write of real nodes fail, one after the other; then check what they had acknowledged.

    python -m scripts.disk_faults --writes 200 --kind EIO
    python -m scripts.disk_faults --writes 200 --kind ENOSPC --step 4

For each n, the n-th write or sync of a new node fails, counted from its first start in an empty folder. The node may
refuse to start, with a clear message; then it is started again on the same folder. Later, while owners write and read,
a write fails again. The affected files are those of the database and of the embedded chain. An I/O error (EIO) affects
the n-th call of each thread; a full disk (ENOSPC) remains full until space is freed.

When the faults stop, everything acknowledged must be on the chain exactly once; nothing may be there in part; refused
writes must be accepted when they are sent again; the files must be intact, and the index must equal the fold of the
chain. During the faults, reads must be answered, and writes must be acknowledged or refused with 503 or 507. The
figures are printed and written to disk-results.json. The exit code is 1 if any of these conditions is violated.

Needs Linux and strace, and the right to trace a process.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from eth_keys.datatypes import PrivateKey
from sqlalchemy import select

from registry.base.canonical import metadata_hash
from registry.base.logging import configure
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, keccak256
from registry.chain.rpc import RpcChain
from registry.config import Settings
from registry.documents.tables import METADATA_DOCUMENTS
from registry.ethereum.eip712 import Domain, Signable
from registry.index.check import check
from registry.node import Node
from registry.relay.tables import RECEIPTS
from registry.rooms.datasets.messages import Registration
from registry.rooms.datasets.statements import Publication
from registry.storage import open_storage
from scripts.faults.disk import DATABASES, DiskNode
from scripts.faults.load import DEADLINE, Acknowledged
from scripts.faults.oracle import judge

RESULTS: Final = Path(__file__).resolve().parent.parent / "disk-results.json"
WRITES_A_POINT: Final = 6
AT_WORK: Final = 24
"""The range of n during work, where calls are counted from the fault's start: few threads make more calls."""
DRAIN_SECONDS: Final = 300.0
NOT_BEGUN: Final = "The index has not begun yet."


@dataclass
class Results:
    """The content of disk-results.json."""

    kind: str
    points: int = 0
    faults: int = 0
    startsRefused: int = 0  # noqa: N815 - the names are those of the file
    acknowledgedAtOnce: int = 0  # noqa: N815
    refused: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    acknowledged: int = 0
    onChain: int = 0  # noqa: N815
    lost: int = 0
    duplicated: int = 0
    halfWritten: int = 0  # noqa: N815
    faulty: list[str] = field(default_factory=list)
    """Other violations."""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether all conditions were met."""
        return not (self.lost or self.duplicated or self.halfWritten or self.faulty)


@dataclass(frozen=True, slots=True)
class Write:
    """A registration with its metadata, signed.

    Args:
        message: The message.
        digest: What was signed.
        body: The request's body.
    """

    message: Registration
    digest: Bytes32
    body: dict[str, Any]


def run(points: Iterable[int], kind: str, seconds: float = 1e9) -> Results:
    """Run all points.

    Args:
        points: The numbers of the writes that fail.
        kind: ``EIO`` or ``ENOSPC``.
        seconds: The time after which no further point is started; the first is always started.
    """
    results = Results(kind)
    started = time.monotonic()
    for number in points:
        if results.points and time.monotonic() - started >= seconds:
            break
        folder = Path(tempfile.mkdtemp(prefix="tdr-disk-"))
        before = len(results.faulty)
        _Point(folder, number, kind, results).run()
        if len(results.faulty) == before:
            shutil.rmtree(folder)
        results.points += 1
        results.seconds = round(time.monotonic() - started, 1)
        if results.points % 20 == 0:
            print(f"{results.points} points", file=sys.stderr, flush=True)
    return results


class _Point:
    """One failing write, at a node's first start and during its work.

    Args:
        folder: The folder for the node's data and log.
        number: The number of the write.
        kind: The kind of failure.
        results: The results to add to.
    """

    def __init__(self, folder: Path, number: int, kind: str, results: Results) -> None:
        self._data, self._log = folder / "data", folder / "node.log"
        self._number, self._kind, self._results = number, kind, results
        self._acknowledged: dict[Bytes32, Acknowledged] = {}

    def run(self) -> None:
        """Run the point."""
        node, url = self._born()
        with httpx.Client(base_url=url, timeout=DRAIN_SECONDS, trust_env=False) as http:
            deployment = http.get("/v1/deployment").json()
            contracts = {name: Address.parse(item["address"]) for name, item in deployment["contracts"].items()}
            domain = Domain("DatasetRegistry", deployment["chainId"], contracts["DatasetRegistry"])
            writes = [_write(f"{self._number} {one}", domain) for one in range(WRITES_A_POINT)]
            with node.faults(self._kind, self._when(1 + (self._number - 1) % AT_WORK)) as faults:
                for write in writes:
                    self._send(http, write)
                    self._read(http, write)
                self._results.faults += faults.count
            self._look_for_halves(writes)
            self._drain(http, writes)
            self._judge(url, contracts)
        if node.stop() != 0:
            self._complain("the node did not stop cleanly")
        self._look_at_files()

    def _when(self, number: int) -> str:
        return f"{number}+" if self._kind == "ENOSPC" else str(number)

    def _born(self) -> tuple[DiskNode, str]:
        """Return a node that answers: the one whose write failed, or the next one on its folder."""
        node = DiskNode(self._data, self._log)
        with node.faults(self._kind, self._when(self._number)) as faults:
            url = node.start()
            self._results.faults += faults.count
        if url is None:
            self._results.startsRefused += 1
            said = self._log.read_text()
            if "refused to start: " not in said or "Traceback" in said:
                self._complain("it refused to start without a clear message")
            node = DiskNode(self._data, self._log)
            url = node.start()
        if url is None:
            raise SystemExit(f"The node does not start after write {self._number} failed; see {self._log}")
        return node, url

    def _send(self, http: httpx.Client, write: Write) -> bool:
        """Send a write once; return whether it was acknowledged."""
        answer = http.post("/v1/datasets", json=write.body)
        if answer.status_code == 202:
            self._acknowledged[write.digest] = Acknowledged(write.message, answer.json()["id"])
            return True
        refused = self._results.refused
        refused[str(answer.status_code)] = refused.get(str(answer.status_code), 0) + 1
        is_clear = answer.headers["content-type"] == "application/problem+json" and "retry-after" in answer.headers
        if answer.status_code not in (503, 507) or not is_clear:
            self._complain(f"a write was answered {answer.status_code} {answer.text[:300]}")
        return False

    def _read(self, http: httpx.Client, write: Write) -> None:
        paths = ["/v1/datasets", f"/v1/verify?sha256={write.message.content_root.hex()}", "/v1/health/live"]
        paths += [f"/v1/receipts/{item.receipt_id}" for item in list(self._acknowledged.values())[-1:]]
        for path in paths:
            answer = http.get(path)
            self._results.reads += 1
            if not answer.is_success and NOT_BEGUN not in answer.text:
                self._complain(f"{path} was answered {answer.status_code} {answer.text[:300]}")

    def _look_for_halves(self, writes: Sequence[Write]) -> None:
        """Check that the database has all acknowledged messages, and no message without its documents or vice versa."""
        storage = open_storage(f"sqlite:///{self._data}/registry.db")
        with storage.read() as connection:
            messages = set(connection.execute(select(RECEIPTS.c.digest)).scalars())
            documents = set(connection.execute(select(METADATA_DOCUMENTS.c.metadata_hash)).scalars())
        storage.close()
        self._results.acknowledgedAtOnce += len(self._acknowledged)
        self._results.halfWritten += sum(
            (write.digest in messages) != (write.message.metadata_hash in documents) for write in writes
        )
        self._results.lost += len(self._acknowledged.keys() - messages)

    def _drain(self, http: httpx.Client, writes: Sequence[Write]) -> None:
        """Send refused writes again, and wait for all writes."""
        deadline = time.monotonic() + DRAIN_SECONDS
        for write in writes:
            while write.digest not in self._acknowledged and not self._send(http, write):
                if time.monotonic() > deadline:
                    self._complain("a write is still refused")
                    return
                time.sleep(0.2)
        for item in self._acknowledged.values():
            while True:
                receipt = http.get(f"/v1/receipts/{item.receipt_id}", params={"wait": 20, "until": "final"}).json()
                if receipt["status"] == "final":
                    break
                if receipt["status"] == "failed" or time.monotonic() > deadline:
                    self._complain(f"a receipt ended {receipt['status']}: {receipt['failure']}")
                    break

    def _judge(self, url: str, contracts: dict[str, Address]) -> None:
        chain = RpcChain([f"{url}/rpc"], timeout=DRAIN_SECONDS)
        verdict = judge(chain, contracts, self._acknowledged.values(), f"sqlite:///{self._data}/registry.db")
        chain.close()
        self._results.acknowledged += len(self._acknowledged)
        self._results.onChain += verdict.on_chain
        self._results.lost += verdict.lost
        self._results.duplicated += verdict.duplicated
        if verdict.gaps:
            self._complain(f"{verdict.gaps} nonces are missing")

    def _look_at_files(self) -> None:
        with Node.open(Settings.model_validate({"data": self._data})) as node:
            if not check(node.chain, node.storage, node.deployment, node.rooms).is_equal:
                self._complain("the index is not the fold of the chain")
        for database in DATABASES:
            connection = sqlite3.connect(self._data / database)
            (found,) = connection.execute("PRAGMA integrity_check").fetchone()
            connection.close()
            if found != "ok":
                self._complain(f"{database} is damaged: {found}")
        if "Traceback" in self._log.read_text():
            self._complain("the log has a traceback")

    def _complain(self, what: str) -> None:
        self._results.faulty.append(f"write {self._number}: {what} ({self._log})")


def _write(name: str, domain: Domain) -> Write:
    key = PrivateKey(keccak256(f"owner {name}".encode()))
    metadata = {"name": name}
    message = Registration(
        owner=Address(key.public_key.to_canonical_address()),
        content_root=Bytes32(keccak256(name.encode())),
        metadata_hash=metadata_hash(metadata),
        uri="",
        salt=ZERO_BYTES32,
        sources=(),
        deadline=DEADLINE,
    )
    statement = Publication(
        dataset_id=message.dataset_id,
        version=1,
        content_root=ZERO_BYTES32,
        metadata_hash=message.metadata_hash,
        deadline=DEADLINE,
    )
    body = {**_signed(message, key, domain), "publication": _signed(statement, key, domain), "metadata": metadata}
    return Write(message, message.digest(domain), body)


def _signed(message: Signable, key: PrivateKey, domain: Domain) -> dict[str, object]:
    """Return a message or statement with its signature."""
    raw = key.sign_msg_hash(message.digest(domain)).to_bytes()
    return {"message": message.to_json(), "signature": f"0x{raw[:64].hex()}{raw[64] + 27:02x}"}


def main() -> None:
    """Read the command line, run the test, print and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--writes", type=int, default=200, help="the last write")
    parser.add_argument("--first", type=int, default=1, help="the first write")
    parser.add_argument("--step", type=int, default=1, help="the distance between two writes")
    parser.add_argument("--seed", type=int, help="use a random order of writes with this seed")
    parser.add_argument("--seconds", type=float, default=1e9, help="the time after which no further write is started")
    parser.add_argument("--kind", choices=["EIO", "ENOSPC"], default="EIO")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    configure("warning", "console")
    points = list(range(given.first, given.writes + 1, given.step))
    if given.seed is not None:
        print(f"seed {given.seed}", file=sys.stderr)
        random.Random(given.seed).shuffle(points)
    results = run(points, given.kind, given.seconds)
    given.results.write_text(json.dumps(asdict(results), indent=1) + "\n")
    for name, value in asdict(results).items():
        print(f"{name:20} {value}")
    sys.exit(0 if results.is_good else 1)


if __name__ == "__main__":
    main()
