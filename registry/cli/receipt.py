"""`tdr receipt`: the state of a write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry.cli import output
    from registry.sdk import client
    from registry.sdk.models import receipts
else:
    output, client = lazy("registry.cli.output"), lazy("registry.sdk.client")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def receipt(
    receipt_id: Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt's id.")],
    seconds: Annotated[int, typer.Option("--wait", min=0, max=30, help="Seconds to wait for the chain.")] = 0,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show the state of a write. Exit code 1: it failed.

    \b
    Example:
      tdr receipt 6bded46cfe786bba35b16d488ac3c7c5 --wait 30
    """
    if not re.fullmatch(r"[0-9a-f]{32}", receipt_id):
        raise InvalidInput(f"A receipt's id is 32 hex digits; got {receipt_id[:80]!r}.")
    with client.Client(gateway_url) as gateway:
        answer = gateway.receipt(receipt_id, wait=seconds)
    if as_json:
        output.print_json(_receipt_json(answer))
    else:
        output.print_fields(
            {
                "receipt": answer.id,
                "action": answer.action,
                answer.subject.kind: answer.subject.id,
                "status": answer.status,
                "transaction": answer.transaction_hash,
                "block": answer.block_number,
                "failure": answer.failure and answer.failure.detail,
            }
        )
    raise typer.Exit(1 if answer.status == "failed" else 0)


def _receipt_json(answer: receipts.Receipt) -> dict[str, object]:
    """Return a receipt as `--json` prints it; its subject is named by its kind, for example `datasetId`."""
    failure = answer.failure
    return {
        "id": answer.id,
        "action": answer.action,
        "status": answer.status,
        f"{answer.subject.kind}Id": str(answer.subject.id),
        "transactionHash": None if answer.transaction_hash is None else str(answer.transaction_hash),
        "blockNumber": answer.block_number,
        "failure": failure and {"error": failure.error, "values": failure.values, "detail": failure.detail},
        "alreadyDone": answer.already_done,
    }
