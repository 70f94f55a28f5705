"""The command of the room of notices."""

from __future__ import annotations

import typer

from registry.base.primitives import Bytes32, keccak256
from registry.cli import options, output
from registry.keys.signer import Signer
from registry.sdk.gateway import GatewayClient
from registry.sdk.signing import sign
from tests.rooms.notices.messages import Notice

app = typer.Typer(add_completion=False)


@app.command()
def notice(text: str, key: str, gateway_url: options.GatewayUrl = options.GATEWAY_URL) -> None:
    """Post a notice."""
    signer = Signer(bytes.fromhex(key))
    message = Notice(
        author=signer.address, notice_id=Bytes32(keccak256(text.encode())), text=text, deadline=4_000_000_000
    )
    with GatewayClient(gateway_url) as client:
        receipt = client.wait(client.send(sign(message, client.deployment(), signer.sign)))
    output.print_json({"subject": message.subject.to_json(), "status": receipt.status})
