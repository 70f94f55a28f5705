"""A room that is plugged in from outside works from its contract to its command: the engines know no room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.rooms.catalogue import GATEWAY_ROOMS
from api.rooms.room import GatewayRoom
from registry.base.primitives import Bytes32, keccak256
from registry.cli.app import main
from registry.cli.catalogue import COMMANDS
from registry.config import Settings
from registry.index.check import check
from registry.keys.folder import KeyFolder
from registry.keys.keystore import encrypt
from registry.keys.signer import Signer
from registry.node import Node
from registry.rooms.catalogue import ROOMS
from registry.rooms.room import Rooms
from registry.sdk.async_gateway import AsyncGatewayClient
from registry.sdk.gateway import GatewayClient
from registry.sdk.signing import sign
from tests.api.world import FAR, OWNER, STRANGER, Gateway, running
from tests.rooms.notices.client import Notices
from tests.rooms.notices.messages import Notice
from tests.rooms.notices.room import GATEWAY_ROOM, ROOM

PASSWORD = "a password"
WITH_NOTICES = Rooms((*ROOMS.rooms, ROOM))
ALL_GATEWAY_ROOMS = (*GATEWAY_ROOMS, GATEWAY_ROOM)
ALL_COMMANDS = (*COMMANDS, ("notice", "tests.rooms.notices.command", "Post a notice."))


@contextmanager
def gateway_with(folder: Path, rooms: Rooms, gateway_rooms: Sequence[GatewayRoom]) -> Iterator[Gateway]:
    """A whole node in a folder, with some rooms."""
    with Node.open(Settings(data=folder, poll_seconds=0.02), rooms=rooms) as node:
        node.start()
        with running(node, gateway_rooms) as gateway:
            yield gateway


def notice(text: str) -> Notice:
    return Notice(author=OWNER.address, notice_id=Bytes32(keccak256(text.encode())), text=text, deadline=FAR)


def ended(gateway: Gateway, accepted: httpx.Response) -> dict[str, object]:
    assert accepted.status_code == 202, accepted.text
    answer: dict[str, object] = gateway.http.get(accepted.headers["location"], params={"wait": 30}).json()
    return answer


def test_a_message_of_a_room_from_outside_ends_as_a_row_of_its_table(tmp_path: Path) -> None:
    """R1, R4: relay, index and gateway serve it like the other rooms."""
    with gateway_with(tmp_path, WITH_NOTICES, ALL_GATEWAY_ROOMS) as gateway:
        message = notice("The library is closed on Monday.")
        receipt = ended(gateway, gateway.http.post(Notice.PATH, json=gateway.body(message)))
        assert receipt["status"] in ("mined", "final")
        assert receipt["subject"] == {"kind": "notice", "id": str(message.notice_id)}
        assert receipt["action"] == "post"
        assert gateway.http.get(f"{Notice.PATH}/{message.notice_id}").json() == {"text": message.text}
        deployment = gateway.http.get("/v1/deployment").json()
        assert set(deployment["contracts"]) == {*ROOMS.protocols.contracts, "Notices"}
        assert deployment["messages"]["Notice"]["path"] == "/v1/notices"
        node = gateway.node
        assert check(node.chain, node.storage, node.deployment, node.rooms).is_equal


def test_its_contract_refuses_in_its_own_words(tmp_path: Path) -> None:
    with gateway_with(tmp_path, WITH_NOTICES, ALL_GATEWAY_ROOMS) as gateway:
        message = notice("Once.")
        first = ended(gateway, gateway.http.post(Notice.PATH, json=gateway.body(message)))
        again = message.model_copy(update={"deadline": FAR + 1})
        answered = gateway.http.post(Notice.PATH, json=gateway.body(again))
        assert (answered.status_code, answered.json()["id"]) == (202, first["id"]), "one effect has one receipt"
        other = message.model_copy(update={"text": "Twice."})
        refused = gateway.http.post(Notice.PATH, json=gateway.body(other)).json()
        assert (refused["status"], refused["error"]) == (409, "NoticeExists")
        forged = gateway.http.post(Notice.PATH, json=gateway.body(notice("Not mine."), STRANGER)).json()
        assert (forged["status"], forged["error"]) == (403, "SignatureNotBySigner")


def test_a_database_that_had_no_such_room_gets_its_contract_and_keeps_what_it_has(tmp_path: Path) -> None:
    with gateway_with(tmp_path, ROOMS, GATEWAY_ROOMS) as gateway:
        dataset = gateway.registration()
        gateway.settle(dataset)
        before = gateway.deployment
    with gateway_with(tmp_path, WITH_NOTICES, ALL_GATEWAY_ROOMS) as gateway:
        assert {name: gateway.deployment.contracts[name] for name in before.contracts} == before.contracts
        ended(gateway, gateway.http.post(Notice.PATH, json=gateway.body(notice("New here."))))
        assert gateway.http.get(f"/v1/datasets/{dataset.dataset_id}").json()["version"] == 1
        node = gateway.node
        assert check(node.chain, node.storage, node.deployment, node.rooms).is_equal


def test_its_notices_are_read_by_both_clients_without_a_line_in_the_sdk(tmp_path: Path) -> None:
    async def read(url: str, notice_id: Bytes32) -> str:
        async with AsyncGatewayClient(url) as client:
            return (await Notices(client).get(notice_id)).text

    with gateway_with(tmp_path, WITH_NOTICES, ALL_GATEWAY_ROOMS) as gateway:
        message = notice("By the client.")
        url = str(gateway.http.base_url)
        with GatewayClient(url) as client:
            client.wait(client.send(sign(message, client.deployment(), OWNER.sign)))
            assert Notices(client).get(message.notice_id).text == "By the client."
        assert asyncio.run(read(url, message.notice_id)) == "By the client."


def test_its_command_rehearses_and_posts_a_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session of the command line signs and sends an unknown message, and waits until it can be read."""
    monkeypatch.setenv("TDR_KEY_PASSWORD", PASSWORD)
    KeyFolder(tmp_path / "keys").add("owner", encrypt(Signer(keccak256(b"owner")), PASSWORD, work=2**4))
    text = "By the command line."
    notice_id = str(Bytes32(keccak256(text.encode())))
    with gateway_with(tmp_path / "node", WITH_NOTICES, ALL_GATEWAY_ROOMS) as gateway:
        place = ("--keys", str(tmp_path / "keys"), "--gateway", str(gateway.http.base_url))

        def printed(*options: str) -> dict[str, object]:
            with pytest.raises(SystemExit) as ended_with:
                main(["notice", text, *place, "--json", *options], ALL_COMMANDS)
            out = capsys.readouterr().out  # The lines that the node logs are in it too.
            assert ended_with.value.code == 0, out
            document: dict[str, object] = json.JSONDecoder().raw_decode(out[out.index("{\n") :])[0]
            return document

        draft = printed("--dry-run")
        assert (draft["dryRun"], draft["noticeId"], draft["signer"]) == (True, notice_id, str(OWNER.address))
        assert gateway.http.get(f"{Notice.PATH}/{notice_id}").json() == {"text": None}
        posted = printed()
        assert (posted["noticeId"], posted["text"]) == (notice_id, text)
        assert posted["status"] in ("mined", "final")
        assert gateway.http.get(f"{Notice.PATH}/{notice_id}").json() == {"text": text}
