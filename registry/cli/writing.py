"""From a message to its place on the chain: unlock the key, sign here, hand in, wait, and say what became of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from registry.cli.options import Wait
from registry.cli.output import plain, print_fields, print_json, status_line
from registry.cli.times import parse_time
from registry.client import Gateway, Receipt, Signed
from registry.deployment import Deployment
from registry.eip712 import Domain
from registry.errors import InvalidInput, NotFound, Unavailable
from registry.keys.folder import KeyFolder, StoredKey
from registry.keys.keystore import unlock
from registry.keys.signer import Signer
from registry.manifest import Manifest
from registry.primitives import DatasetId
from registry.rooms import AnyMessage

PASSWORD_VARIABLE = "TDR_KEY_PASSWORD"  # noqa: S105  The variable's name, not a password.


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that is needed to write: the gateway, the chain behind it, and the key.

    Args:
        gateway: Takes the messages.
        deployment: The chain and contracts that they are signed for.
        signer: Signs them.
    """

    gateway: Gateway
    deployment: Deployment
    signer: Signer

    def send(
        self,
        message: AnyMessage,
        *,
        wait: Wait | None,
        metadata: Mapping[str, Any] | None = None,
        manifest: Manifest | None = None,
    ) -> Receipt:
        """Signs a message, hands it in, and waits with a line of progress.

        Args:
            message: The message.
            wait: Until when; None: not at all.
            metadata: Its metadata, for the gateway to serve.
            manifest: Its manifest, likewise.

        Raises:
            RegistryError: As `registry.client.Gateway.send` and `wait` do.
        """
        signature = self.signer.sign(message.digest(self._domain(message)))
        receipt = self.gateway.send(Signed(message, signature), metadata=metadata, manifest=manifest)
        if wait is None:
            return receipt
        with status_line() as show:
            receipt = self.gateway.wait(
                receipt,
                until_final=wait is Wait.FINAL,
                progress=lambda now: show(f"{now.action}: {now.status}, waiting until it is {wait.value} ..."),
            )
        # The next command is to see this write. It is done even if the index does not get there in time.
        with suppress(Unavailable, NotFound):
            self.gateway.dataset(receipt.dataset_id, min_block=receipt.block_number)
        return receipt

    def _domain(self, message: AnyMessage) -> Domain:
        is_registry = message.CONTRACT == "DatasetRegistry"
        return Domain(
            message.CONTRACT,
            self.deployment.chain_id,
            self.deployment.registry if is_registry else self.deployment.grants,
        )


@contextmanager
def open_desk(url: str, keys: Path, key: str | None, password_file: Path | None) -> Iterator[Desk]:
    """Finds the key and the gateway, then asks for the password: whatever is missing shows before any work is done.

    Raises:
        RegistryError: The key, its password or the gateway is missing or wrong.
    """
    stored = KeyFolder(keys.expanduser()).key(key)
    with Gateway(url) as gateway:
        deployment = gateway.deployment()
        yield Desk(gateway, deployment, unlock(stored, password_of(stored, password_file)))


def password_of(key: StoredKey, password_file: Path | None) -> str:
    """The password of a key: from a file, the environment, or a prompt.

    Raises:
        InvalidInput: There is none, and nobody to ask.
    """
    given = given_password(password_file)
    if given is not None:
        return given
    answer: str = typer.prompt(f"Password of the key {plain(key.name)}", hide_input=True, err=True)
    return answer


def given_password(password_file: Path | None) -> str | None:
    """The password from a file or the environment; None where it is to be asked for.

    Raises:
        InvalidInput: The file cannot be read, or nothing was given and nobody can be asked.
    """
    if password_file is not None:
        try:
            return password_file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"The password file {str(password_file)!r} cannot be read: {error}.") from error
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    if not sys.stdin.isatty():
        raise InvalidInput(
            "A password is needed, and there is no terminal to ask for it.",
            hint=f"Give it by --password-file or by {PASSWORD_VARIABLE}.",
        )
    return None


def deadline_of(text: str) -> int:
    """The deadline of a message, Unix seconds, UTC.

    Raises:
        InvalidInput: It is no time, or has passed.
    """
    now = int(time.time())
    deadline = parse_time(text, now=now)
    if deadline <= now:
        raise InvalidInput(f"The deadline {text!r} has passed already.", hint="Give a later one, or a duration as 1h.")
    return deadline


def waiting(no_wait: bool, until: Wait) -> Wait | None:
    """What `--no-wait` and `--wait` mean together."""
    return None if no_wait else until


def print_write(receipt: Receipt, dataset_id: DatasetId, more: Mapping[str, object], *, as_json: bool) -> None:
    """Says what became of a write.

    Args:
        receipt: Its receipt.
        dataset_id: The dataset it is about.
        more: What else there is to say of it, by its JSON names.
        as_json: Whether as JSON.
    """
    document = {
        "datasetId": str(dataset_id),
        **more,
        "status": receipt.status,
        "transactionHash": None if receipt.transaction_hash is None else str(receipt.transaction_hash),
        "blockNumber": receipt.block_number,
        "receipt": receipt.id,
        "alreadyDone": receipt.already_done,
    }
    if as_json:
        print_json(document)
    else:
        print_fields(document | {"alreadyDone": receipt.already_done or None})
