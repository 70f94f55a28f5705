"""Forgeries that an attacker would try."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from registry.base.primitives import Bytes32
from registry.ethereum.rlp import decode_list, encode
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, SigningKey
from tests.evidence.cases import Json
from tests.evidence.stories import NODE, TIME, WITNESSES
from tests.vectors.evidence.changes import Change, drop_event, hide_last

Case = tuple[str, str, Change]
"""A name, the story that the case starts from, and the change."""


def hidden(documents: dict[str, Json]) -> Iterator[Case]:
    """Events left out, and parts of other bundles put in."""
    revoked, granted = documents["revoked"], documents["granted"]
    before = documents["granted"]["record"]
    yield "a withdrawal left out", "withdrawn", hide_last("Withdrawn", {"record/dataset/withdrawn": False})
    yield (
        "a transfer left out",
        "withdrawn",
        hide_last("Transferred", {"record/dataset/owner": before["dataset"]["owner"]}),
    )
    yield "a newer version left out", "granted", hide_last("Revised", {"record/dataset/version": 1})
    reader = revoked["record"]["access"][0]["grantee"]
    earlier = next(entry for entry in granted["record"]["access"] if entry["grantee"] == reader)
    yield "a revocation left out", "revoked", hide_last("AccessRevoked", {"record/access/0": earlier})
    yield "a request left out", "revoked", hide_last("AccessRequested", {"record/access/0/requests": 0})
    yield "the registration left out", "granted", lambda d: drop_event(d, 0)

    def older_state(document: Json) -> None:
        document["state"] = granted["state"]

    yield "the state of an earlier block", "withdrawn", older_state
    yield "the state of another dataset's bundle", "sent by the owner", older_state
    for key in ("headers", "receipts", "record", "datasetId"):

        def swap(document: Json, key: str = key) -> None:
            document[key] = documents["sent by the owner"][key]

        yield f"{key} of another bundle", "withdrawn", swap


def misplaced() -> Iterator[Case]:
    """Nodes, receipts and headers too few, too many, or in the wrong place."""
    yield "a trie node left out of the state", "withdrawn", lambda d: d["state"].pop()
    yield "a trie node too many in the state", "withdrawn", lambda d: d["state"].append("0xc0")
    yield "a trie node twice in the state", "withdrawn", lambda d: d["state"].append(d["state"][0])
    yield "an empty state", "registered", lambda d: d.update(state=[])
    yield "a trie node left out of a receipt", "granted", lambda d: d["receipts"][0]["nodes"].pop()
    yield "a trie node too many in a receipt", "granted", lambda d: d["receipts"][0]["nodes"].append("0xc0")
    yield "a receipt twice", "granted", lambda d: d["receipts"].append(copy.deepcopy(d["receipts"][-1]))
    yield "receipts out of order", "granted", lambda d: d["receipts"].reverse()
    yield "a transaction's index moved", "granted", lambda d: d["receipts"][1].update(transactions=[1])
    yield "a transaction's index doubled", "granted", lambda d: d["receipts"][1].update(transactions=[0, 0])
    yield "a negative index", "granted", lambda d: d["receipts"][1].update(transactions=[-1])
    yield "a fraction as index", "granted", lambda d: d["receipts"][1].update(transactions=[0.5])
    yield "true as index", "granted", lambda d: d["receipts"][1].update(transactions=[True])
    yield "a string as index", "granted", lambda d: d["receipts"][1].update(transactions=["0"])
    yield "no receipts", "granted", lambda d: d.update(receipts=[])
    yield "receipts of another block", "granted", lambda d: d["receipts"][0].update(block=d["receipts"][0]["block"] + 1)
    yield "receipts of a block without header", "granted", lambda d: d["receipts"][0].update(block=1)
    yield "a header left out", "granted", lambda d: d["headers"][0].pop(2)
    yield "the first header left out", "granted", lambda d: d["headers"][0].pop(0)
    yield "the last header left out", "granted", lambda d: d["headers"][0].pop()
    yield "headers out of order", "granted", lambda d: d["headers"][0].reverse()
    yield "a header twice", "granted", lambda d: d["headers"][0].insert(1, d["headers"][0][0])
    yield "a run of no headers", "granted", lambda d: d["headers"].append([])
    yield "no headers", "granted", lambda d: d.update(headers=[])
    yield "runs out of order", "apart", lambda d: d["headers"].reverse()
    yield "a run torn apart", "granted", lambda d: d.update(headers=[[raw] for raw in d["headers"][0]])
    yield "a run twice", "apart", lambda d: d["headers"].append(d["headers"][-1])


def forged(documents: dict[str, Json]) -> Iterator[Case]:
    """Headers and signatures made up."""
    events = documents["withdrawn"]["record"]["events"]

    def forged_header(field: int, value: bytes) -> Change:
        def change(document: Json) -> None:
            fields = decode_list(bytes.fromhex(document["headers"][-1][-1][2:]))
            fields[field] = value
            document["headers"][-1][-1] = f"0x{encode(fields).hex()}"

        return change

    yield "a forged time", "registered", forged_header(11, b"\x01")
    yield "a forged state root", "registered", forged_header(3, bytes(32))
    yield "a forged receipts root", "registered", forged_header(5, bytes(32))
    yield "a forged height", "registered", forged_header(8, b"\x01")
    yield "a header with a field too short", "registered", forged_header(3, bytes(31))

    other = events[-1]["values"]
    yield "a false reason", "withdrawn", lambda d: d["record"]["events"][-1]["values"].update(reason=f"{other}")
    yield "a message for another event", "withdrawn", lambda d: d["messages"][0].update(event=1)
    yield "a message for no event", "withdrawn", lambda d: d["messages"][-1].update(event=99)
    yield "a message twice", "withdrawn", lambda d: d["messages"].append(d["messages"][-1])
    yield "messages out of order", "withdrawn", lambda d: d["messages"].reverse()
    yield (
        "signatures exchanged",
        "withdrawn",
        lambda d: d["messages"][0].update(signature=d["messages"][1]["signature"]),
    )
    yield "a signature cut short", "registered", lambda d: d["messages"][0].update(signature="0x00")
    yield "an empty signature", "registered", lambda d: d["messages"][0].update(signature="0x")
    yield "a signature of zeros", "registered", lambda d: d["messages"][0].update(signature=f"0x{'00' * 65}")

    def high_s(document: Json) -> None:
        raw = bytes.fromhex(document["messages"][0]["signature"][2:])
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        mirrored = order - int.from_bytes(raw[32:64], "big")
        document["messages"][0]["signature"] = f"0x{(raw[:32] + mirrored.to_bytes(32, 'big')).hex()}{55 - raw[64]:02x}"

    yield "a signature mirrored to a high s", "registered", high_s
    yield "a message with a field too many", "registered", lambda d: d["messages"][0]["message"].update(x=1)
    yield "a message with a field missing", "registered", lambda d: d["messages"][0]["message"].pop("uri")
    yield "a deadline before the event", "registered", lambda d: d["messages"][0]["message"].update(deadline=1)


def renamed(documents: dict[str, Json]) -> Iterator[Case]:
    """Other chains, contracts and grantees."""
    yield "chain 1", "registered", lambda d: d.update(chainId=1)
    yield "chain 0", "registered", lambda d: d.update(chainId=0)
    yield (
        "the contracts exchanged",
        "granted",
        lambda d: d.update(
            contracts={
                "AccessGrants": d["contracts"]["DatasetRegistry"],
                "DatasetRegistry": d["contracts"]["AccessGrants"],
            }
        ),
    )
    yield (
        "an address in lower case",
        "granted",
        lambda d: d["contracts"].update(DatasetRegistry=d["contracts"]["DatasetRegistry"].lower()),
    )
    yield "a hash in upper case", "granted", lambda d: d.update(datasetId=f"0x{d['datasetId'][2:].upper()}")
    yield (
        "AccessGrants named for nothing",
        "registered",
        lambda d: d["contracts"].update(AccessGrants=d["contracts"]["DatasetRegistry"]),
    )
    yield "AccessGrants not named", "granted", lambda d: d["contracts"].update(AccessGrants=None)
    yield "a grantee left out", "granted", lambda d: d["record"]["access"].pop()
    yield "a grantee twice", "granted", lambda d: d["record"]["access"].append(d["record"]["access"][-1])
    yield "grantees out of order", "granted", lambda d: d["record"]["access"].reverse()

    def one_more(document: Json) -> None:
        stranger = documents["nobody"]["record"]["access"][0]
        access = [*document["record"]["access"], stranger | {"rights": 1}]
        document["record"]["access"] = sorted(access, key=lambda entry: str(entry["grantee"]).lower())

    yield "a grantee made up", "granted", one_more
    yield "a grantee made up, without a state", "without state", one_more


def other_content() -> Iterator[Case]:
    """Files, manifests and metadata that are not the version's."""
    yield "the whole manifest of another version", "content", lambda d: d["content"].update(version=2)
    yield "a content without anything", "content", lambda d: d["content"].update(manifest=None, metadata=None)
    yield "version 0", "single files", lambda d: d["content"].update(version=0)
    yield from other_paths()
    yield from other_files()
    yield from other_documents()


def other_paths() -> Iterator[Case]:
    """Ways from a file to the content root that do not lead there."""
    yield "a path cut short", "single files", lambda d: d["content"]["files"][0]["path"].pop()
    yield (
        "a path extended",
        "single files",
        lambda d: d["content"]["files"][0]["path"].append(["left", f"0x{'00' * 32}"]),
    )
    yield (
        "a path of 65",
        "single files",
        lambda d: d["content"]["files"][0].update(path=[["left", f"0x{'00' * 32}"]] * 65),
    )
    yield "an empty path", "single files", lambda d: d["content"]["files"][0].update(path=[])
    yield "sides exchanged", "single files", lambda d: d["content"]["files"][0]["path"][0].__setitem__(0, "middle")
    yield (
        "paths exchanged",
        "single files",
        lambda d: d["content"]["files"][0].update(path=d["content"]["files"][1]["path"]),
    )


def other_files() -> Iterator[Case]:
    """Entries of files that are not the version's."""
    yield "files out of order", "single files", lambda d: d["content"]["files"].reverse()
    yield "a file twice", "single files", lambda d: d["content"]["files"].append(d["content"]["files"][-1])
    yield "a file with another size", "single files", lambda d: d["content"]["files"][0]["entry"].update(size=1)
    yield "a file without a size", "single files", lambda d: d["content"]["files"][0]["entry"].pop("size")
    yield "a file with a field too many", "single files", lambda d: d["content"]["files"][0]["entry"].update(x=1)
    yield (
        "a path that leaves its folder",
        "single files",
        lambda d: d["content"]["files"][0]["entry"].update(path="../a"),
    )
    yield (
        "a private file without its salt",
        "sent by the owner",
        lambda d: d["content"]["files"][0]["entry"].pop("salt"),
    )
    yield "another salt", "sent by the owner", lambda d: d["content"]["files"][0]["entry"].update(salt="00" * 16)


def other_documents() -> Iterator[Case]:
    """Metadata and manifests that are not the version's."""
    yield "metadata with another key", "content", lambda d: d["content"]["metadata"].update(x=1)
    yield "metadata with a key less", "content", lambda d: d["content"]["metadata"].pop("name")
    yield "metadata with another number", "content", lambda d: d["content"]["metadata"].update(rows=345)
    yield (
        "a manifest with a file more",
        "content",
        lambda d: d["content"]["manifest"]["files"].append(d["content"]["manifest"]["files"][-1] | {"path": "zz"}),
    )
    yield "a manifest with a file less", "content", lambda d: d["content"]["manifest"]["files"].pop()
    yield "a manifest with another root", "content", lambda d: d["content"]["manifest"].update(root=f"0x{'00' * 32}")
    yield "a manifest of another format", "content", lambda d: d["content"]["manifest"].update(format="tdr-manifest/2")
    yield "format 2", "registered", lambda d: d.update(format="tdr-evidence/2")


def noted() -> Iterator[Case]:
    """Checkpoints that do not vouch."""

    def notes(*, drop: int = 0, key: SigningKey | None = None, text: str = "", reverse: bool = False) -> Change:
        def change(document: Json) -> None:
            part = document["checkpoints"]
            parsed = [Note.parse(source) for source in part["notes"]]
            if drop:
                parsed = [Note(note.text, note.signatures[:-drop]) for note in parsed]
                part["keys"] = part["keys"][:-drop]
            if key is not None:
                parsed = [key.sign(note, TIME) for note in parsed]
                part["keys"].append(str(key.verifier))
            if text:
                stated = Checkpoint.of(parsed[-1])
                false = (
                    Checkpoint(stated.chain_id, stated.height, Bytes32(bytes(32)))
                    if text == "block"
                    else (Checkpoint(stated.chain_id + 1, stated.height, stated.block_hash))
                )
                note = false.note()
                for signer in (NODE, *WITNESSES):
                    note = signer.sign(note, TIME)
                parsed[-1] = note
            part["notes"] = [str(note) for note in (reversed(parsed) if reverse else parsed)]

        return change

    mallory = SigningKey("witness.example/2", KeyKind.COSIGNATURE, b"\x09" * 32)
    yield "one cosignature", "checkpoints", notes(drop=2)
    yield "a stranger's cosignature under a witness's name", "checkpoints", notes(drop=3, key=mallory)
    yield "no cosignature and not the node's signature", "checkpoints", notes(drop=4, key=mallory)
    yield "a checkpoint for another block", "checkpoints", notes(text="block")
    yield "a checkpoint of another chain", "checkpoints", notes(text="chain")
    yield "checkpoints out of order", "checkpoints", notes(reverse=True)
    yield "a key that signed nothing", "checkpoints", lambda d: d["checkpoints"]["keys"].append(str(mallory.verifier))
    yield "a key left out", "checkpoints", lambda d: d["checkpoints"]["keys"].pop()
    yield "a checkpoint left out", "checkpoints", lambda d: d["checkpoints"]["notes"].pop()
    yield "no checkpoints", "checkpoints", lambda d: d.update(checkpoints=None)


def crafted(documents: dict[str, Json]) -> Iterator[Case]:
    """All of these."""
    yield from hidden(documents)
    yield from misplaced()
    yield from forged(documents)
    yield from renamed(documents)
    yield from other_content()
    yield from noted()
