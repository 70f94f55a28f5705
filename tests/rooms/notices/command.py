"""The command of the room of notices."""

from __future__ import annotations

import typer

from registry.base.primitives import Bytes32, keccak256
from registry.cli import options, rehearsal, session
from registry.rooms.catalogue import ROOMS
from registry.rooms.room import Rooms
from tests.rooms.notices import client
from tests.rooms.notices.messages import Notice
from tests.rooms.notices.room import ROOM

app = typer.Typer(add_completion=False)


@app.command()
def notice(
    text: str,
    dry_run: options.DryRun = False,
    keys: options.Keys = options.KEY_FOLDER,
    deadline: options.Deadline = options.DEADLINE,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Post a notice."""
    with session.open_session(gateway_url, keys, None, None, dry_run=dry_run) as signing:
        message = Notice(
            author=signing.signer.address,
            notice_id=Bytes32(keccak256(text.encode())),
            text=text,
            deadline=signing.deadline_of(deadline),
        )
        if dry_run:
            rooms = Rooms((*ROOMS.rooms, ROOM))
            rehearsal.show_message(signing, message, {"text": text}, as_json=as_json, rooms=rooms)
            return
        receipt = signing.send(message, wait=options.Wait.MINED, shown_by=client.notice(message.notice_id))
    session.print_write(signing, receipt, message, {"text": text}, as_json=as_json)
