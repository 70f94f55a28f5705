"""Both verifiers on bundles that were never issued: however a bundle is changed, they agree.

The changes are drawn at random, in CI the same in every run. What they do not know of each other's code shows here: a
change is made where it hurts most, below the hashes, and the hashes above it are made right again. How many of the
changes reach which step is looked at in CI's draw alone: other draws are judged by whether the verifiers agree.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from registry.base.canonical import canonical_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import keccak256
from registry.base.subject import Subject
from registry.ethereum.header import Header
from registry.ethereum.receipts import decode_receipt, receipt_key
from registry.ethereum.rlp import Item, decode_list, encode
from registry.ethereum.trie import Nodes, Trie
from registry.evidence.bundle import form_of
from registry.evidence.checks import record_of
from registry.evidence.record import LocatedLog, Scope, history_of
from registry.rooms.protocols import PROTOCOLS
from tests.conformance.second import SecondVerifier, first_verdict
from tests.evidence.stories import VECTORS
from tests.fixtures.randomness import SEED, draws, random_of

BUNDLES = {path.name: path.read_bytes() for path in sorted((VECTORS / "bundles").iterdir())}
Json = Any


def trust_in(document: Json) -> Json:
    """A policy that accepts all blocks of the bundle, so that the later steps are reached."""
    blocks = []
    for run in document["headers"] or ():
        try:
            blocks.append(f"0x{keccak256(bytes.fromhex(run[-1][2:])).hex()}")
        except (ValueError, TypeError, IndexError):
            continue
    return {"hashes": blocks, "chainId": 1952765415}


def agree(second: SecondVerifier, source: bytes, trust: Json) -> Json:
    """The verdict that both have."""
    first = first_verdict(source, trust)
    assert second.verify(source, trust) == first, source.decode(errors="replace")[:4000]
    return first


def places(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def at(document: Json, path: tuple[Any, ...]) -> Json:
    for key in path:
        document = document[key]
    return document


def put(document: Json, path: tuple[Any, ...], value: Json) -> None:
    at(document, path[:-1])[path[-1]] = value


def shifted(draw: random.Random, value: Json) -> Json:
    """Return another, similar value."""
    match value:
        case bool():
            return not value
        case int():
            return draw.choice([value + 1, max(value - 1, 0), 0, 2**48, 2**53 - 1, -value, float(value), str(value)])
        case str() if value.startswith("0x") and len(value) > 2:
            index = draw.randrange(2, len(value))
            digit = draw.choice("0123456789abcdef")
            return draw.choice([value[:index] + digit + value[index + 1 :], value[:-2], value + "00", value.upper()])
        case str():
            return draw.choice([value + "x", "", value[:-1], "\u00e9", "e\u0301", "../x", value.upper()])
        case list():
            return draw.choice([[], value[::-1], value[:-1], value + value[:1], value[1:], None])
        case dict():
            return draw.choice([{}, None, value | {"x": 1}, dict(list(value.items())[1:])])
    return draw.choice([0, "", [], {}, False])


def changed(draw: random.Random, document: Json) -> Json:
    """A document with one or two values changed, exchanged, or taken from another bundle."""
    document = copy.deepcopy(document)
    for _ in range(draw.choice([1, 1, 2])):
        paths = list(places(document))
        path = draw.choice(paths)
        value = at(document, path)
        kind = draw.randrange(4)
        if kind == 0:
            alike = [other for other in paths if type(at(document, other)) is type(value) and other[-1:] == path[-1:]]
            other = draw.choice(alike)
            if path[: len(other)] != other and other[: len(path)] != path:
                one, two = at(document, path), at(document, other)
                put(document, path, two)
                put(document, other, one)
        elif kind == 1:
            stranger = json.loads(draw.choice(list(BUNDLES.values())))
            put(document, path[:1], stranger[path[0]])
        else:
            put(document, path, shifted(draw, value))
    return document


@pytest.mark.parametrize("seed", range(12))
def test_changed_documents_get_one_verdict(seed: int, second: SecondVerifier) -> None:
    """R7: fields altered, exchanged, left out, or from another bundle; all blocks are trusted."""
    draw = random_of(f"documents {seed}")
    verdicts: Counter[int | None] = Counter()
    for _ in range(draws(40, 75)):
        document = changed(draw, json.loads(draw.choice(list(BUNDLES.values()))))
        try:
            source = canonical_json(document)
        except InvalidInput:
            continue
        verdicts[agree(second, source, trust_in(document)).get("failsAt")] += 1
    assert SEED or len(verdicts) >= 5, verdicts


def test_flipped_bits_get_one_verdict(second: SecondVerifier) -> None:
    """R7."""
    draw = random_of("bits")
    for _ in range(draws(200, 600)):
        source = bytearray(draw.choice(list(BUNDLES.values())))
        source[draw.randrange(len(source))] ^= 1 << draw.randrange(8)
        document = json.loads(BUNDLES["withdrawn.tdr.json"])
        agree(second, bytes(source), trust_in(document))


def test_cut_and_spliced_texts_get_one_verdict(second: SecondVerifier) -> None:
    draw = random_of("cuts")
    for _ in range(draws(100, 200)):
        source = draw.choice(list(BUNDLES.values()))
        start = draw.randrange(len(source))
        end = min(len(source), start + draw.randrange(64))
        middle = draw.choice([b"", b" ", b'"', b"{", b"null,", b"\xff", b"\\u0000", source[end : end + 40]])
        agree(second, source[:start] + middle + source[end:], {"hashes": []})


def with_receipt(raw: bytes, document: Json) -> Json:
    """The bundle of one registration, with another receipt, and everything above it made right."""
    document = copy.deepcopy(document)
    trie = Trie({receipt_key(0): raw})
    fields = decode_list(bytes.fromhex(document["headers"][0][0][2:]))
    fields[5] = bytes(trie.root)
    header = Header.decode(encode(fields))
    document["headers"] = [[f"0x{encode(fields).hex()}"]]
    document["receipts"][0]["nodes"] = [f"0x{node.hex()}" for node in trie.proof([receipt_key(0)])]
    document |= {"state": None, "messages": [], "content": None}
    bundle = form_of(PROTOCOLS).model_validate(document)
    try:
        logs = [LocatedLog(log, header, 0, index) for index, log in enumerate(decode_receipt(raw).logs)]
        history = history_of(
            logs,
            [Scope("datasets", Subject("dataset", bundle.dataset_id))],
            bundle.contracts.addresses(),
            PROTOCOLS,
        )
        document["record"] = record_of(history, header, PROTOCOLS).model_dump(mode="json", by_alias=True)
    except (InvalidInput, VerificationFailed):
        document["record"]["block"]["hash"] = str(header.hash)
    return document


@pytest.mark.parametrize("data", [b"", b"\x01", bytes(31), bytes(33)], ids=["empty", "1 byte", "31 bytes", "33 bytes"])
@pytest.mark.parametrize("topics", [[], [b"\x07" * 32], [b"\x07" * 32] * 4], ids=["none", "unknown", "four"])
def test_logs_of_unknown_kinds_are_passed_over(topics: list[Item], data: bytes, second: SecondVerifier) -> None:
    """A10: a registry's log with an unknown topic says nothing of a dataset, and its data need not be ABI data."""
    document = json.loads(BUNDLES["registered.tdr.json"])
    kind, receipt = receipt_in(document)
    status, gas, bloom, logs = receipt
    assert isinstance(logs, list)
    address = bytes.fromhex(document["contracts"]["DatasetRegistry"][2:])
    forged = with_receipt(kind + encode([status, gas, bloom, [[address, topics, data], *logs]]), document)
    verdict = agree(second, canonical_json(forged), trust_in(forged))
    assert "failsAt" not in verdict, verdict
    assert [event["log"] for event in verdict["record"]["events"]] == [2]


def receipt_in(document: Json) -> tuple[bytes, list[Item]]:
    """The type byte and the fields of the receipt in the bundle of one registration."""
    (node,) = document["receipts"][0]["nodes"]
    root = decode_list(bytes.fromhex(document["headers"][0][0][2:]))[5]
    assert isinstance(root, bytes)
    raw = Nodes([bytes.fromhex(node[2:])]).value(root, receipt_key(0))
    assert raw is not None
    return raw[:1], decode_list(raw[1:])


def garbled(draw: random.Random, item: Item) -> Item:
    """An RLP item with something in it changed."""
    if isinstance(item, bytes):
        if not item:
            return draw.choice([b"", b"\x01", b"\x00"])
        index = draw.randrange(len(item))
        byte = bytes([draw.choice([0, 1, 0x20, 0x7F, 0x80, 0xFF, item[index] ^ 1])])
        return draw.choice([item[:index] + byte + item[index + 1 :]] * 6 + [item[:-1], item + b"\0", item + item])
    if not item:
        return [b""]
    index = draw.randrange(len(item))
    changes: list[Callable[[], Item]] = [lambda: [*item[:index], garbled(draw, item[index]), *item[index + 1 :]]] * 8
    changes += [lambda: item[:-1], lambda: [*item, item[index]], lambda: item[::-1]]
    return draw.choice(changes)()


def test_receipts_that_no_contract_ever_made_get_one_verdict(second: SecondVerifier) -> None:
    """R7: below the hashes, where RLP, ABI and the history are read."""
    document = json.loads(BUNDLES["registered.tdr.json"])
    kind, receipt = receipt_in(document)
    draw = random_of("receipts")
    verdicts: Counter[int | None] = Counter()
    for _ in range(draws(250, 500)):
        item: Item = receipt
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            item = garbled(draw, item)
        body = kind + encode(item)
        if draw.random() < 0.1:
            place = draw.randrange(len(body))
            body = body[:place] + bytes([draw.randrange(256)]) + body[place + 1 :]
        forged = with_receipt(body, document)
        verdicts[agree(second, canonical_json(forged), trust_in(forged)).get("failsAt")] += 1
    assert SEED or all(verdicts[step] > 10 for step in (None, 4, 5)), verdicts
