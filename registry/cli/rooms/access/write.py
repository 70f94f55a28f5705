"""Commands that change access: `tdr grant`, `revoke`, `request` and `take-requests`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import Unavailable
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    from registry.base import primitives
    from registry.cli import clock, output, people, rehearsal, session, times
    from registry.cli.rooms.access import epochs
    from registry.cli.rooms.datasets import content, writing
    from registry.rooms.access import errors, messages, records, statements
    from registry.rooms.datasets import errors as dataset_errors
    from registry.sdk import client
    from registry.sdk.rooms.access import models
else:
    primitives, client = lazy("registry.base.primitives"), lazy("registry.sdk.client")
    clock, output, people = (lazy(f"registry.cli.{name}") for name in ("clock", "output", "people"))
    rehearsal, session, times = (lazy(f"registry.cli.{name}") for name in ("rehearsal", "session", "times"))
    epochs = lazy("registry.cli.rooms.access.epochs")
    content, writing = (lazy(f"registry.cli.rooms.datasets.{name}") for name in ("content", "writing"))
    errors, messages = lazy("registry.rooms.access.errors"), lazy("registry.rooms.access.messages")
    records, statements = lazy("registry.rooms.access.records"), lazy("registry.rooms.access.statements")
    dataset_errors = lazy("registry.rooms.datasets.errors")

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
    dataset: ids.DatasetArgument,
    address: options.AddressArgument,
    rights: Rights,
    until: Until,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="When it begins.")] = "now",
    terms: Annotated[
        Path | None,
        typer.Option(
            "--terms", parser=options.to_path, metavar="FILE", help="The terms; their SHA-256 is recorded on the chain."
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
    """Grant an account access to your dataset. It replaces any earlier grant to that account.

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
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    terms_hash = primitives.ZERO_BYTES32 if terms is None else content.hashed(terms).entries[0].sha256
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        dataset_id = signing.gateway.datasets.state(dataset_text).dataset_id
        now = signing.now()
        starts_at, expires_at = times.parse_time(begin, now=now), times.parse_time(until, now=now)
        message = messages.AccessGrant.parse(
            {
                "datasetId": dataset_id,
                "grantee": grantee,
                "rights": mask,
                "startsAt": starts_at,
                "expiresAt": expires_at,
                "termsHash": terms_hash,
                "epoch": signing.gateway.access.grantee(dataset_id, grantee).epoch,
                "deadline": signing.deadline_of(deadline),
            }
        )
        more = {
            "grantee": str(grantee),
            "rights": list(records.rights_names(mask)),
            "startsAt": times.show_time(starts_at),
            "expiresAt": times.show_time(expires_at),
            "termsHash": str(terms_hash),
        }
        entry = epochs.check_epoch(signing, message)
        if dry_run:
            rehearsal.show_message(signing, message, more, as_json=as_json)
            return
        epochs.record(signing, entry)
        receipt = writing.send(signing, message, wait=options.waiting(no_wait, wait))
        recorded = None if no_wait else _as_recorded(signing.gateway, dataset_id, grantee, receipt.transaction_hash)
    if recorded:
        more["startsAt"] = recorded.raw["startsAt"]
    session.print_write(signing, receipt, message, more, as_json=as_json)


@app.command()
def revoke(
    dataset: ids.DatasetArgument,
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
    """End an account's access to your dataset now. The record of its earlier access remains.

    \b
    Examples:
      tdr revoke 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
      tdr revoke 0x1f2e3d4c bob --dry-run
    """
    grantee = people.address_of(address, keys)
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        dataset_id = signing.gateway.datasets.state(dataset_text).dataset_id
        message = messages.AccessRevocation.parse(
            {
                "datasetId": dataset_id,
                "grantee": grantee,
                "epoch": signing.gateway.access.grantee(dataset_id, grantee).epoch,
                "deadline": signing.deadline_of(deadline),
            }
        )
        entry = epochs.check_epoch(signing, message)
        writing.write(
            signing,
            message,
            {"grantee": str(grantee)},
            dry_run=dry_run,
            wait=options.waiting(no_wait, wait),
            as_json=as_json,
            before_signing=lambda: epochs.record(signing, entry),
        )


@app.command()
def request(
    dataset: ids.DatasetArgument,
    rights: Rights,
    until: Until,
    purpose: Annotated[str, typer.Option("--purpose", help="The purpose; permanently recorded on the chain.")] = "",
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
    """Ask for access to a dataset, for the account of your key. Only the owner can grant it.

    \b
    Examples:
      tdr request 0x1f2e3d4c --rights read --until 90d --purpose "Replication of table 3"
      tdr request 0x1f2e3d4c --rights read --until 90d --dry-run
    """
    mask = records.rights_mask(_names(rights))
    times.require_time(until)
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        dataset_id = signing.gateway.datasets.state(dataset_text).dataset_id
        grantee = signing.signer.address
        expires_at = times.parse_time(until, now=signing.now())
        message = messages.AccessRequest.parse(
            {
                "datasetId": dataset_id,
                "grantee": grantee,
                "rights": mask,
                "expiresAt": expires_at,
                "purpose": purpose,
                "requests": signing.gateway.access.grantee(dataset_id, grantee).requests,
                "deadline": signing.deadline_of(deadline),
            }
        )
        more = {
            "grantee": str(grantee),
            "rights": list(records.rights_names(mask)),
            "expiresAt": times.show_time(expires_at),
            "purpose": purpose,
        }
        if dry_run and not signing.gateway.access.request_policy(dataset_id).accepted:
            raise errors.requests_closed()
        status = options.waiting(no_wait, wait)
        writing.write(signing, message, more, dry_run=dry_run, wait=status, as_json=as_json)


@app.command("take-requests")
def take_requests(
    dataset: ids.DatasetArgument,
    accepted: Annotated[bool, typer.Option("--yes/--no", help="Whether the gateway accepts requests for access.")],
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Open your dataset to requests for access at the gateway, or close it to them.

    Existing requests remain. Anyone can still send a request to the contract itself, at their own cost.

    \b
    Examples:
      tdr take-requests 0x1f2e3d4c --no
      tdr take-requests 0x1f2e3d4c --yes
      tdr take-requests 0x1f2e3d4c --no --dry-run
    """
    clock.require_deadline(deadline)
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        state = signing.gateway.datasets.state(ids.id_text(dataset))
        statement = statements.RequestPolicy(
            dataset_id=state.dataset_id,
            accepted=accepted,
            issued_at=signing.now(),
            deadline=signing.deadline_of(deadline),
        )
        if dry_run:
            unknown = dataset_errors.unknown(state.dataset_id)
            rehearsal.show_statement(signing, statement, {"accepted": accepted}, unknown=unknown, as_json=as_json)
            return
        policy = signing.gateway.access.set_request_policy(signing.sign(statement))
    if as_json:
        output.print_json(policy.raw)
    else:
        output.print_fields(policy.raw)


def _as_recorded(
    gateway: client.Client,
    dataset_id: primitives.DatasetId,
    grantee: primitives.Address,
    transaction_hash: primitives.Bytes32 | None,
) -> models.Grant | None:
    """Return the grant as recorded on the chain, if the index has it: it starts at its block at the earliest."""
    try:
        grants = gateway.access.grants(dataset_id, grantee=grantee)
    except Unavailable:
        return None
    return next((grant for grant in grants.items if grant.at.transaction_hash == transaction_hash), None)


def _names(rights: str) -> list[str]:
    return [name.strip() for name in rights.split(",") if name.strip()]
