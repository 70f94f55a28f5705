"""Commands that pass on or withdraw a dataset: `tdr transfer` and `tdr withdraw`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import NotFound, Unavailable
from registry.cli import confirm, options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    from registry.cli import clock, people, session
    from registry.cli.rooms.datasets import writing
    from registry.rooms.datasets import head, messages
    from registry.sdk.rooms.datasets import models
else:
    clock, people, session = (lazy(f"registry.cli.{name}") for name in ("clock", "people", "session"))
    writing = lazy("registry.cli.rooms.datasets.writing")
    head, messages = lazy("registry.rooms.datasets.head"), lazy("registry.rooms.datasets.messages")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def transfer(
    dataset: ids.DatasetArgument,
    to: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="The new owner: an address, or the name of a key or contact.")
    ],
    yes: confirm.Yes = False,
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
    """Transfer the title of a dataset to another account. Grants remain until the new owner revokes them.

    Only the new owner can transfer it back. At a terminal you are asked to confirm; otherwise --yes is required.

    \b
    Examples:
      tdr transfer 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
      tdr transfer 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --yes
      tdr transfer 0x1f2e3d4c bob --dry-run
    """
    confirm.require_terminal_or_yes(yes=yes or dry_run)
    recipient = people.address_of(to, keys)
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        state = signing.gateway.datasets.state(dataset_text)
        message = messages.TitleTransfer.parse(
            {
                "datasetId": state.dataset_id,
                "head": state.head,
                "to": recipient,
                "deadline": signing.deadline_of(deadline),
            }
        )
        new_head = head.Head(state.head).after_transfer(state.owner, recipient)
        more = {"owner": str(recipient), "previousOwner": str(state.owner), "head": str(new_head)}

        def ask() -> None:
            confirm.ask(
                (
                    f"Dataset  {_called(signing, state)}",
                    f"To       {recipient}",
                    "Only the new owner can then revise, grant, revoke, withdraw, or transfer it back.",
                ),
                "Transfer the title?",
            )

        status, before = options.waiting(no_wait, wait), None if yes else ask
        writing.write(signing, message, more, dry_run=dry_run, wait=status, as_json=as_json, before_signing=before)


@app.command()
def withdraw(
    dataset: ids.DatasetArgument,
    reason: Annotated[str, typer.Option("--reason", help="The reason; permanently recorded on the chain.")] = "",
    yes: confirm.Yes = False,
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
    """Withdraw a dataset permanently. Versions and grants can no longer be added; its history and title remain.

    This cannot be undone. At a terminal you are asked to confirm; otherwise --yes is required.

    \b
    Examples:
      tdr withdraw 0x1f2e3d4c --reason "Consent of two participants was withdrawn"
      tdr withdraw 0x1f2e3d4c --reason "Replaced by 0x5a6b7c8d" --yes
      tdr withdraw 0x1f2e3d4c --reason "Replaced by 0x5a6b7c8d" --dry-run
    """
    confirm.require_terminal_or_yes(yes=yes or dry_run)
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        state = signing.gateway.datasets.state(dataset_text)
        message = messages.Withdrawal.parse(
            {
                "datasetId": state.dataset_id,
                "head": state.head,
                "reason": reason,
                "deadline": signing.deadline_of(deadline),
            }
        )
        more = {"reason": reason, "head": str(head.Head(state.head).after_withdrawal(reason.encode()))}

        def ask() -> None:
            confirm.ask(
                (
                    f"Dataset  {_called(signing, state)}",
                    f"Reason   {reason or 'none given'}",
                    "Versions and grants can no longer be added. This cannot be undone.",
                ),
                "Withdraw it permanently?",
            )

        status, before = options.waiting(no_wait, wait), None if yes else ask
        writing.write(signing, message, more, dry_run=dry_run, wait=status, as_json=as_json, before_signing=before)


def _called(signing: session.SigningSession, state: models.DatasetState) -> str:
    """Return a dataset's id, with its name if the gateway has it."""
    try:
        name = signing.gateway.datasets.get(state.dataset_id).name
    except (NotFound, Unavailable):
        name = None
    return f"{state.dataset_id} ({name})" if name else str(state.dataset_id)
