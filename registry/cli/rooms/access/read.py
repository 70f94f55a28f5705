"""Commands that read about access: `tdr access` and `tdr requests`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    import time

    from registry.cli import output, people, times
    from registry.cli.rooms.access import offline
    from registry.rooms.access import records
    from registry.sdk import client
    from registry.verification import grantees, trust
else:
    offline, output = lazy("registry.cli.rooms.access.offline"), lazy("registry.cli.output")
    grantees, trust = lazy("registry.verification.grantees"), lazy("registry.verification.trust")
    people, times = lazy("registry.cli.people"), lazy("registry.cli.times")
    records, client = lazy("registry.rooms.access.records"), lazy("registry.sdk.client")
    time = lazy("time")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def requests(
    dataset: ids.DatasetArgument,
    is_open: Annotated[bool, typer.Option("--open", help="Only requests that no grant followed.")] = False,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """List the requests for access to a dataset, the newest first. Answer them with `tdr grant`.

    \b
    Examples:
      tdr requests 0x1f2e3d4c
      tdr requests 0x1f2e3d4c --open --json
    """
    with client.Client(gateway_url) as gateway:
        listed = gateway.access.requests(ids.id_text(dataset))
    selected = [item for item in listed.items if not (is_open and item.granted)]
    if as_json:
        output.print_json({**listed.raw, "items": [item.raw for item in selected]})
    elif selected:
        output.print_table(
            ("time", "who", "rights", "until", "purpose", "granted"),
            (
                (
                    times.for_people(item.at.time),
                    item.grantee,
                    ", ".join(item.rights),
                    times.for_people(item.expires_at),
                    item.purpose,
                    "yes" if item.granted else "no",
                )
                for item in selected
            ),
        )
    else:
        output.print_line("No request matches.")


@app.command()
def access(
    dataset: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The dataset's id; not needed with --bundle.")
    ] = None,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="The account; without it, all grants are listed.")
    ] = None,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The time to ask about.")] = "now",
    bundle_file: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            parser=options.to_path,
            metavar="FILE",
            help="Evidence, or a certificate with it, instead of the gateway; only --rpc uses the network.",
        ),
    ] = None,
    block_hashes: options.BlockHashes = None,
    rpc_urls: Annotated[
        list[str] | None,
        typer.Option("--rpc", metavar="URL", help="With --bundle: a node that you trust; repeatable."),
    ] = None,
    trust_file: options.TrustFile = None,
    chain_id: options.ChainId = None,
    keys: options.Keys = options.KEY_FOLDER,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show whether an account may use a dataset, now or at a time, and why. Exit code 0: allowed; 1: not allowed.

    Without an account, list all grants. With --bundle, the answer comes from the evidence alone, offline; it does not
    include changes after the bundle's block.

    \b
    Examples:
      tdr access 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
      tdr access 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --at 2026-11-01
      tdr access --bundle measurements.tdr.json --block-hash 0x5a90...
      tdr access --bundle measurements.tdr.json 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --trust trust.json
    """
    now = int(time.time())
    moment = None if at == "now" else times.parse_time(at, now=now)
    if bundle_file is not None:
        chosen = trust.TrustOptions(block_hashes or (), rpc_urls or (), trust_file, chain_id)
        question = offline.question(dataset, address, keys, now if moment is None else moment)
        raise typer.Exit(offline.answer(bundle_file, chosen, question, now, as_json=as_json))
    if block_hashes or rpc_urls or trust_file or chain_id:
        raise InvalidInput("--block-hash, --rpc, --trust and --chain-id go with --bundle.")
    if dataset is None:
        raise InvalidInput("Give a dataset, or its evidence: tdr access ID [ADDRESS], tdr access --bundle FILE.")
    dataset_text = ids.id_text(dataset)
    if address is None:
        _list_grants(dataset_text, gateway_url, as_json=as_json)
        return
    grantee = people.address_of(address, keys)
    with client.Client(gateway_url) as gateway:
        answer = gateway.access.check(dataset_text, grantee, at=moment)
    if as_json:
        output.print_json({**answer.raw, "account": str(grantee)})
    else:
        term = answer.term
        output.print_line("ALLOWED" if answer.allowed else "NOT ALLOWED")
        output.print_fields(
            {
                "account": grantee,
                "reason": grantees.WORDS[records.AccessState(answer.reason)],
                "rights": ", ".join(term.rights) if term else "",
                "from": times.for_people(term.starts_at) if term else "",
                "until": times.for_people(term.ends_at) if term else "",
                "at": times.for_people(answer.at),
                "dataset": "withdrawn" if answer.dataset_status == "withdrawn" else "",
                "as of block": answer.as_of_block,
            }
        )
    raise typer.Exit(0 if answer.allowed else 1)


def _list_grants(dataset: str, gateway_url: str, *, as_json: bool) -> None:
    """Print all grants of a dataset, the newest first."""
    with client.Client(gateway_url) as gateway:
        grants = gateway.access.grants(dataset)
    if as_json:
        output.print_json(grants.raw)
    elif grants.items:
        output.print_table(
            ("who", "state", "rights", "from", "until"),
            (
                (
                    item.grantee,
                    item.state,
                    ", ".join(item.rights),
                    times.for_people(item.starts_at),
                    times.for_people(item.ends_at),
                )
                for item in grants.items
            ),
        )
    else:
        output.print_line("Access was never granted to any account.")
