"""`tdr grant`, `revoke`, `request` and `access`: who may do what with a dataset, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput, Unavailable
from registry.cli import ids, options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    import time

    from registry.base import primitives
    from registry.cli import (
        access_offline,
        clock,
        content,
        drafts,
        epochs,
        output,
        people,
        times,
        writing,
    )
    from registry.rooms.access import messages, records, statements
    from registry.sdk import client
    from registry.sdk.models import access as access_models
    from registry.verification import grantees, trust
else:
    time = lazy("time")
    client, primitives = lazy("registry.sdk.client"), lazy("registry.base.primitives")
    messages, records = lazy("registry.rooms.access.messages"), lazy("registry.rooms.access.records")
    content, output = lazy("registry.cli.content"), lazy("registry.cli.output")
    clock, people = lazy("registry.cli.clock"), lazy("registry.cli.people")
    access_offline = lazy("registry.cli.access_offline")
    trust = lazy("registry.verification.trust")
    drafts, grantees = lazy("registry.cli.drafts"), lazy("registry.verification.grantees")
    epochs = lazy("registry.cli.epochs")
    times, writing = lazy("registry.cli.times"), lazy("registry.cli.writing")
    statements = lazy("registry.rooms.access.statements")

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Rights = Annotated[
    str,
    typer.Option(
        "--rights",
        metavar="NAMES",
        help="Comma-separated: read, derive, aggregate, reproduce, distribute, display, extract, index.",
    ),
]
Until = Annotated[
    str, typer.Option("--until", metavar="TIME", help="When it ends: 2027-01-31 (UTC), a time with zone, 30d, 2h.")
]


@app.command()
def grant(
    dataset: options.DatasetArgument,
    address: options.AddressArgument,
    rights: Rights,
    until: Until,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="When it begins.")] = "now",
    terms: Annotated[
        Path | None,
        typer.Option(
            "--terms", parser=options.to_path, metavar="FILE", help="The terms; their SHA-256 is put on the chain."
        ),
    ] = None,
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    no_wait: options.NoWait = False,
    wait: options.WaitUntil = options.Wait.MINED,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Grant somebody access to a dataset of yours, in place of any earlier grant to them.

    \b
    Examples:
      tdr grant 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --rights read --until 30d
      tdr grant 0x1f2e3d4c bob --rights read --until 30d
      tdr grant 0x1f2e3d4c bob --rights read --until 30d --dry-run
      tdr grant 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --rights read,derive \\
          --from 2027-01-01 --until 2027-12-31T18:00+08:00 --terms licence.pdf
    """
    grantee = people.address_of(address, keys)
    mask = records.rights_mask(_names(rights))
    for time_text in (begin, until):
        times.require_time(time_text)
    wanted = ids.id_text(dataset)
    clock.require_deadline(deadline)
    terms_hash = primitives.ZERO_BYTES32 if terms is None else content.hashed(terms).entries[0].sha256
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        dataset_id = session.gateway.state(wanted).dataset_id
        now = session.now()
        starts_at, expires_at = times.parse_time(begin, now=now), times.parse_time(until, now=now)
        message = messages.AccessGrant.parse(
            {
                "datasetId": dataset_id,
                "grantee": grantee,
                "rights": mask,
                "startsAt": starts_at,
                "expiresAt": expires_at,
                "termsHash": terms_hash,
                "epoch": session.gateway.grantee(dataset_id, grantee).epoch,
                "deadline": session.deadline_of(deadline),
            }
        )
        more = {
            "grantee": str(grantee),
            "rights": list(records.rights_names(mask)),
            "startsAt": times.show_time(starts_at),
            "expiresAt": times.show_time(expires_at),
            "termsHash": str(terms_hash),
        }
        entry = epochs.check_epoch(session, message)
        if dry_run:
            drafts.show_message(session, message, more, as_json=as_json)
            return
        session.journal.add(entry)
        receipt = session.send(message, wait=writing.waiting(no_wait, wait))
        recorded = None if no_wait else _as_recorded(session.gateway, dataset_id, grantee, receipt.transaction_hash)
    if recorded:
        more["startsAt"] = recorded.raw["startsAt"]
    writing.print_write(session, receipt, message, more, as_json=as_json)


@app.command()
def revoke(
    dataset: options.DatasetArgument,
    address: options.AddressArgument,
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    no_wait: options.NoWait = False,
    wait: options.WaitUntil = options.Wait.MINED,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """End somebody's access to a dataset of yours now. That they had it until then stays on record.

    \b
    Examples:
      tdr revoke 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
      tdr revoke 0x1f2e3d4c bob --dry-run
    """
    grantee = people.address_of(address, keys)
    wanted = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        dataset_id = session.gateway.state(wanted).dataset_id
        message = messages.AccessRevocation.parse(
            {
                "datasetId": dataset_id,
                "grantee": grantee,
                "epoch": session.gateway.grantee(dataset_id, grantee).epoch,
                "deadline": session.deadline_of(deadline),
            }
        )
        more = {"grantee": str(grantee)}
        entry = epochs.check_epoch(session, message)
        if dry_run:
            drafts.show_message(session, message, more, as_json=as_json)
            return
        session.journal.add(entry)
        receipt = session.send(message, wait=writing.waiting(no_wait, wait))
    writing.print_write(session, receipt, message, more, as_json=as_json)


@app.command()
def request(
    dataset: options.DatasetArgument,
    rights: Rights,
    until: Until,
    purpose: Annotated[str, typer.Option("--purpose", help="What for; stands on the chain for good.")] = "",
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    no_wait: options.NoWait = False,
    wait: options.WaitUntil = options.Wait.MINED,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Ask for access to a dataset, for the account of your key. It changes no right; the owner may grant it.

    \b
    Examples:
      tdr request 0x1f2e3d4c --rights read --until 90d --purpose "Replication of table 3"
      tdr request 0x1f2e3d4c --rights read --until 90d --dry-run
    """
    mask = records.rights_mask(_names(rights))
    times.require_time(until)
    wanted = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        dataset_id = session.gateway.state(wanted).dataset_id
        grantee = session.signer.address
        expires_at = times.parse_time(until, now=session.now())
        message = messages.AccessRequest.parse(
            {
                "datasetId": dataset_id,
                "grantee": grantee,
                "rights": mask,
                "expiresAt": expires_at,
                "purpose": purpose,
                "requests": session.gateway.grantee(dataset_id, grantee).requests,
                "deadline": session.deadline_of(deadline),
            }
        )
        more = {
            "grantee": str(grantee),
            "rights": list(records.rights_names(mask)),
            "expiresAt": times.show_time(expires_at),
            "purpose": purpose,
        }
        if dry_run:
            session.require_requests_accepted(dataset_id)
            drafts.show_message(session, message, more, as_json=as_json)
            return
        receipt = session.send(message, wait=writing.waiting(no_wait, wait))
    writing.print_write(session, receipt, message, more, as_json=as_json)


@app.command("take-requests")
def take_requests(
    dataset: options.DatasetArgument,
    accepted: Annotated[bool, typer.Option("--yes/--no", help="Whether the gateway takes requests for access.")],
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Let the gateway take requests for access to a dataset of yours, or none.

    Requests that are there already stay. The contract itself can always be asked, at the asker's own cost.

    \b
    Examples:
      tdr take-requests 0x1f2e3d4c --no
      tdr take-requests 0x1f2e3d4c --yes
      tdr take-requests 0x1f2e3d4c --no --dry-run
    """
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        state = session.gateway.state(ids.id_text(dataset))
        statement = statements.RequestPolicy(
            dataset_id=state.dataset_id,
            accepted=accepted,
            issued_at=session.now(),
            deadline=session.deadline_of(deadline),
        )
        if dry_run:
            drafts.show_statement(session, statement, {"accepted": accepted}, as_json=as_json)
            return
        policy = session.gateway.set_request_policy(session.sign(statement))
    if as_json:
        output.print_json(policy.raw)
    else:
        output.print_fields(policy.raw)


@app.command()
def requests(
    dataset: options.DatasetArgument,
    is_open: Annotated[bool, typer.Option("--open", help="Only those that no grant followed.")] = False,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """List who asked for access to a dataset, the newest first. What to answer with is `tdr grant`.

    \b
    Examples:
      tdr requests 0x1f2e3d4c
      tdr requests 0x1f2e3d4c --open --json
    """
    with client.Client(gateway_url) as gateway:
        listed = gateway.access_requests(ids.id_text(dataset))
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
        output.print_line("There is no such request.")


@app.command()
def access(
    dataset: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The dataset's id; not needed with --bundle.")
    ] = None,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="The account; without it, all grants are listed.")
    ] = None,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The time that is asked about.")] = "now",
    bundle_file: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            parser=options.to_path,
            metavar="FILE",
            help="Evidence (or a certificate with it) in place of the gateway; no network but --rpc's.",
        ),
    ] = None,
    block_hashes: options.BlockHashes = None,
    rpc_urls: Annotated[
        list[str] | None,
        typer.Option("--rpc", metavar="URL", help="With --bundle: a node of your own; may be repeated."),
    ] = None,
    trust_file: options.TrustFile = None,
    chain_id: options.ChainId = None,
    keys: options.Keys = options.KEY_FOLDER,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Tell whether somebody may use a dataset, now or at a time, and why not. Exit code 0: allowed; 1: not allowed.

    Without an account, list everybody's access. With --bundle, the answer is by the evidence alone, offline; what
    changed after its block is not in it.

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
        question = access_offline.question(dataset, address, keys, now if moment is None else moment)
        raise typer.Exit(access_offline.answer(bundle_file, chosen, question, now, as_json=as_json))
    if block_hashes or rpc_urls or trust_file or chain_id:
        raise InvalidInput("--block-hash, --rpc, --trust and --chain-id go with --bundle.")
    if dataset is None:
        raise InvalidInput("Name a dataset, or its evidence: tdr access ID [ADDRESS], tdr access --bundle FILE.")
    wanted = ids.id_text(dataset)
    if address is None:
        _list_grants(wanted, gateway_url, as_json=as_json)
        return
    grantee = people.address_of(address, keys)
    with client.Client(gateway_url) as gateway:
        answer = gateway.access(wanted, grantee, at=moment)
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
        grants = gateway.grants(dataset)
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


def _as_recorded(
    gateway: client.Client,
    dataset_id: primitives.DatasetId,
    grantee: primitives.Address,
    transaction_hash: primitives.Bytes32 | None,
) -> access_models.Grant | None:
    """Return the grant as the chain has it, if the index has it already: it begins no sooner than its block."""
    try:
        grants = gateway.grants(dataset_id, grantee=grantee)
    except Unavailable:
        return None
    return next((grant for grant in grants.items if grant.at.transaction_hash == transaction_hash), None)


def _names(rights: str) -> list[str]:
    return [name.strip() for name in rights.split(",") if name.strip()]
