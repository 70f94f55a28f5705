"""Write api/rooms/examples.json: the example bodies in the gateway's description, with real signatures.

python -m scripts.examples            writes it
python -m scripts.examples --check    exits 1 if it is not up to date; writes nothing
"""

from __future__ import annotations

import argparse
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from registry.base.canonical import canonical_json
from registry.base.primitives import ZERO_BYTES32, Bytes32, keccak256
from registry.ethereum.eip712 import Domain, Signable
from registry.keys.signer import Signer
from registry.manifest import Entry, Manifest
from registry.relay.signing import created_address
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.head import NO_HEAD
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal
from registry.rooms.datasets.statements import Publication, Retraction

FILE: Final = Path(__file__).resolve().parents[1] / "api/rooms/examples.json"

OWNER: Final = Signer(keccak256(b"an owner for examples"))
ANALYST: Final = Signer(keccak256(b"an analyst for examples"))

CHAIN_ID: Final = 0x74640001
CONTRACTS: Final = {
    name: created_address(OWNER.address, nonce) for nonce, name in enumerate(("DatasetRegistry", "AccessGrants"))
}
"""The contracts that the bodies are signed for. They do not exist, so the examples cannot be used on any chain."""

DEADLINE: Final = 4_000_000_000
"""A time in the year 2096, so that the examples do not expire. Real messages are valid for minutes or hours."""
ISSUED_AT: Final = 1_700_000_000

MANIFEST: Final = Manifest.of(
    Entry(path, Bytes32(sha256(content).digest()), len(content), None)
    for path, content in {"README.md": b"# Birds\n", "birds.csv": b"species,count\nwren,3\n"}.items()
)
METADATA: Final = {"name": "Birds", "license": "CC0-1.0"}


def rendered() -> str:
    """Return the text of the file: the bodies by the names of their messages, in the order of use."""
    registration = Registration(
        owner=OWNER.address,
        content_root=MANIFEST.root,
        metadata_hash=Bytes32(sha256(canonical_json(METADATA)).digest()),
        uri="https://data.example.org/birds",
        salt=ZERO_BYTES32,
        sources=(),
        deadline=DEADLINE,
    )
    about: dict[str, Any] = {"dataset_id": registration.dataset_id, "deadline": DEADLINE}
    metadata_alone = about | {
        "version": 1,
        "content_root": ZERO_BYTES32,
        "metadata_hash": registration.metadata_hash,
    }
    registered = NO_HEAD.after_registration(
        registration.dataset_id, OWNER.address, MANIFEST.root, registration.metadata_hash, registration.uri.encode(), ()
    )
    revision = Revision(
        **about,
        head=registered,
        content_root=Bytes32(sha256(b"the root of the next version").digest()),
        metadata_hash=ZERO_BYTES32,
        uri=registration.uri,
        sources=(),
    )
    revised = registered.after_revision(revision.content_root, ZERO_BYTES32, revision.uri.encode(), ())
    transferred = revised.after_transfer(OWNER.address, ANALYST.address)
    term = about | {"grantee": ANALYST.address}
    request = AccessRequest(**term, rights=1, expires_at=DEADLINE, purpose="a study", requests=0)
    grant = AccessGrant(**term, rights=1, starts_at=0, expires_at=DEADLINE, terms_hash=ZERO_BYTES32, epoch=0)
    publication = Publication(**metadata_alone | {"content_root": MANIFEST.root})
    bodies: dict[str, dict[str, Any]] = {}
    for message, by, beside in (
        (registration, OWNER, {"metadata": METADATA, "publication": _signed(Publication(**metadata_alone), OWNER)}),
        (revision, OWNER, {}),
        (RequestPolicy(**about, accepted=True, issued_at=ISSUED_AT), OWNER, {}),
        (request, ANALYST, {}),
        (grant, OWNER, {}),
        (AccessRevocation(**term, epoch=1), OWNER, {}),
        (Retraction(**metadata_alone, reason="It named a person."), OWNER, {}),
        (publication, OWNER, {"manifest": json.loads(MANIFEST.to_json()), "metadata": METADATA}),
        (TitleTransfer(**about, head=revised, to=ANALYST.address), OWNER, {}),
        (Withdrawal(**about, head=transferred, reason="Superseded."), ANALYST, {}),
    ):
        bodies[type(message).__name__] = {**_signed(message, by), **beside}
    return json.dumps(bodies, indent=1, ensure_ascii=False) + "\n"


def _signed(message: Signable, by: Signer) -> dict[str, Any]:
    domain = Domain(message.CONTRACT, CHAIN_ID, CONTRACTS[message.CONTRACT])
    return {"message": message.to_json(), "signature": f"0x{by.sign(message.digest(domain)).hex()}"}


def main() -> None:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    if not parser.parse_args().check:
        FILE.write_text(rendered())
    elif not FILE.exists() or FILE.read_text() != rendered():
        sys.exit(f"api/rooms/{FILE.name} is not up to date: run `python -m scripts.examples`.")


if __name__ == "__main__":
    main()
