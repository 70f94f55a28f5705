"""The values of events as JSON: names and forms are those of Solidity's JSON, written out here."""

from __future__ import annotations

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.feed.values import event_values
from registry.rooms.datasets.events import Registered
from registry.rooms.datasets.messages import Source


def test_values_have_camel_case_names_hex_strings_and_texts() -> None:
    event = Registered(
        dataset_id=DatasetId(b"\x01" * 32),
        owner=Address.parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
        content_root=Bytes32(b"\x02" * 32),
        metadata_hash=Bytes32(b"\x03" * 32),
        salt=Bytes32(b"\x04" * 32),
        uri=b"ipfs://x",
        sources=(Source(dataset_id=DatasetId(b"\x05" * 32), version=3),),
    )
    assert event_values(event) == {
        "datasetId": "0x" + "01" * 32,
        "owner": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "contentRoot": "0x" + "02" * 32,
        "metadataHash": "0x" + "03" * 32,
        "salt": "0x" + "04" * 32,
        "uri": "ipfs://x",
        "sources": [{"datasetId": "0x" + "05" * 32, "version": 3}],
    }


def test_string_that_is_not_utf_8_is_an_object_with_its_bytes() -> None:
    event = Registered(
        DatasetId(b"\1" * 32),
        Address(b"\1" * 20),
        Bytes32(b"\1" * 32),
        Bytes32(b"\1" * 32),
        Bytes32(b"\1" * 32),
        b"\xff",
        (),
    )
    assert event_values(event)["uri"] == {"hex": "0xff"}
