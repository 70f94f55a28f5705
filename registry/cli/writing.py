"""Write to the chain through a gateway: unlock the key, sign here, send, wait, and print the outcome."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from registry.base.canonical import metadata_hash
from registry.base.errors import ContractRefused, InvalidInput, NotFound, RegistryError, Unavailable
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.chain.client import WrongChain
from registry.cli import clock
from registry.cli.options import Wait
from registry.cli.output import plain, print_fields, print_json, status_line
from registry.cli.times import parse_time, show_time
from registry.config import addresses_by_name
from registry.ethereum.eip712 import Message
from registry.keys.folder import KeyFolder, StoredKey
from registry.keys.journal import Journal
from registry.keys.keystore import unlock
from registry.keys.signer import Signer
from registry.manifest import Manifest
from registry.rooms.access.errors import requests_closed
from registry.rooms.datasets.messages import DATASET
from registry.rooms.datasets.statements import DatasetStatement, Publication
from registry.rooms.deployment import Deployment
from registry.sdk.client import Client
from registry.sdk.models.receipts import Receipt
from registry.sdk.rooms.datasets.models import Published
from registry.sdk.signing import AnySigned, Signed, sign

PASSWORD_VARIABLE = "TDR_KEY_PASSWORD"  # noqa: S105  The variable's name, not a password.


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a version that its owner makes public; at least one.

    Args:
        dataset_id: The dataset.
        version: The version.
        metadata: The metadata, or None.
        manifest: The manifest, without salts, or None.
        deadline: Until when the signature of the publication is valid, Unix seconds.
    """

    dataset_id: DatasetId
    version: int
    metadata: Mapping[str, Any] | None
    manifest: Manifest | None
    deadline: int

    def publication(self) -> Publication:
        """Return the statement that makes them public."""
        return Publication(
            dataset_id=self.dataset_id,
            version=self.version,
            content_root=ZERO_BYTES32 if self.manifest is None else self.manifest.root,
            metadata_hash=ZERO_BYTES32 if self.metadata is None else metadata_hash(self.metadata),
            deadline=self.deadline,
        )


@dataclass(frozen=True, slots=True)
class LockedKey:
    """A key that stays locked, used instead of a signer in a dry run.

    Args:
        address: Its account.
    """

    address: Address

    def sign(self, digest: Bytes32) -> bytes:
        """Refuse to sign.

        Raises:
            RegistryError: Always.
        """
        raise RegistryError(f"A dry run signs nothing, not even {digest}.")


@dataclass(frozen=True, slots=True)
class SigningSession:
    """What is needed to sign and send: the gateway, the chain that it serves, and the key.

    Args:
        gateway: Receives the messages.
        deployment: The chain and contracts that they are signed for.
        signer: Signs them.
        journal: What the key has signed about access.
        now: Return the chain's time, Unix seconds.
    """

    gateway: Client
    deployment: Deployment
    signer: Signer | LockedKey
    journal: Journal
    now: Callable[[], int]

    def deadline_of(self, text: str) -> int:
        """Return the deadline of a message, Unix seconds, UTC, by the chain's time.

        Raises:
            InvalidInput: The text is not a time, or the time has passed.
        """
        now = self.now()
        deadline = parse_time(text, now=now)
        if deadline <= now:
            raise InvalidInput(
                f"The deadline {text!r} has passed already: the chain's time is {show_time(now)}.",
                hint="Give a later one, or a duration as 1h.",
            )
        return deadline

    def send(
        self,
        message: Message,
        *,
        wait: Wait | None,
        documents: Documents | None = None,
    ) -> Receipt:
        """Sign a message, send it, and wait with a line of progress.

        Args:
            message: The message.
            wait: What to wait for; None: nothing.
            documents: The documents of the version that the message makes, to be made public; or None.

        Returns:
            The receipt as it is then.

        Raises:
            RegistryError: As the `send` and `wait` of `registry.sdk.client.Client` do.
        """
        signed = self.sign(message)
        try:
            receipt = self.gateway.send(signed, None if documents is None else self.published(documents).members())
        except ContractRefused as refused:
            raise self._explained(refused) from refused
        if wait is None:
            return receipt
        with status_line() as show:
            receipt = self.gateway.wait(
                receipt,
                until_final=wait is Wait.FINAL,
                progress=lambda now: show(f"{now.action}: {now.status} ..."),
            )
        # The next command is to see this write. It is done even if the index does not get there in time.
        if message.subject.kind == DATASET:
            with suppress(Unavailable, NotFound):
                self.gateway.datasets.get(DatasetId(message.subject.id), min_block=receipt.block_number)
        return receipt

    def sign(self, signable: AnySigned) -> Signed[AnySigned]:
        """Return a message or statement with the signature of this session's key."""
        return sign(signable, self.deployment, self.signer.sign)

    def published(self, documents: Documents) -> Published:
        """Return documents with the signed publication that makes them public."""
        return Published(self.sign(documents.publication()), documents.metadata, documents.manifest)

    def not_by(self, owner: object, values: Mapping[str, Any] | None = None) -> ContractRefused:
        """Return the refusal of this key's signature where another account has to sign.

        Args:
            owner: The account that has to sign.
            values: The values of the contract's own refusal, where there is one.
        """
        return ContractRefused(
            "SignatureNotBySigner",
            {"signer": str(owner)} if values is None else values,
            f"Only {owner} may do this, but this key signs for {self.signer.address}.",
            hint="Sign with the owner's key: --key NAME. `tdr keys list` shows them.",
        )

    def _explained(self, refused: ContractRefused) -> ContractRefused:
        """Return the refusal for this key's holder: a wrong signer usually means that another key was meant."""
        owner = str(refused.values.get("signer", ""))
        if refused.name != "SignatureNotBySigner" or owner.lower() == str(self.signer.address).lower():
            return refused
        return self.not_by(owner, refused.values)

    def require_requests_accepted(self, dataset_id: DatasetId) -> None:
        """Require that the gateway accepts requests for access to a dataset.

        Raises:
            Conflict: The owner has closed the dataset to them.
        """
        if not self.gateway.access.request_policy(dataset_id).accepted:
            raise requests_closed()

    def contract_of(self, message: Message | DatasetStatement) -> Address:
        """Return the address of the contract that a message or statement is signed for."""
        return self.deployment.address_of(message.CONTRACT)


@contextmanager
def open_session(
    url: str, keys: Path, key: str | None, password_file: Path | None, *, dry_run: bool = False
) -> Iterator[SigningSession]:
    """Find the key and the gateway, then ask for the password, so that errors show before any work is done.

    In a dry run the key stays locked, and no password is asked for.

    Raises:
        RegistryError: The key, its password or the gateway is missing or wrong.
    """
    folder = keys.expanduser()
    stored = KeyFolder(folder).key(key)
    with Client(url) as gateway:
        deployment = gateway.deployment()
        _require_pinned(deployment)
        now = clock.running_from(gateway.chain_time())
        signer = LockedKey(stored.address) if dry_run else unlock(stored, password_of(stored, password_file))
        yield SigningSession(gateway, deployment, signer, Journal(folder, signer.address), now)


def _require_pinned(deployment: Deployment) -> None:
    """Require that the gateway's chain and contracts are those in the owner's environment, if any are set there.

    Raises:
        WrongChain: One of them differs.
    """
    pins = [("TDR_CHAIN_ID", os.environ.get("TDR_CHAIN_ID", ""), str(deployment.chain_id))]
    for name, address in _pinned_contracts().items():
        pins.append((f"{name} in TDR_CONTRACTS", address, str(deployment.address_of(name))))
    for pin, known, found in pins:
        if known and known.lower() != found.lower():
            raise WrongChain(
                f"{pin} is {known}, but the gateway asks for a signature for {found}.",
                hint="Use a gateway of that chain and contract, or unset the variable.",
            )


def _pinned_contracts() -> dict[str, str]:
    try:
        return addresses_by_name(os.environ.get("TDR_CONTRACTS", ""))
    except ValueError as error:
        raise InvalidInput(f"TDR_CONTRACTS is malformed: {error}.") from error


def password_of(key: StoredKey, password_file: Path | None) -> str:
    """Return the password of a key: from a file, the environment, or a prompt.

    Raises:
        InvalidInput: The file cannot be read, or no password is given and there is no terminal.
    """
    known = given_password(password_file)
    if known is not None:
        return known
    answer: str = typer.prompt(f"Password of the key {plain(key.name)}", hide_input=True, err=True)
    return answer


def given_password(password_file: Path | None) -> str | None:
    """Return the password from a file or the environment; None if it must be asked for.

    Raises:
        InvalidInput: The file cannot be read, or no password is given and there is no terminal.
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


def waiting(no_wait: bool, until: Wait) -> Wait | None:
    """Return what to wait for, from `--no-wait` and `--wait`; None: nothing."""
    return None if no_wait else until


def print_write(
    session: SigningSession, receipt: Receipt, message: Message, more: Mapping[str, object], *, as_json: bool
) -> None:
    """Print the outcome of a write.

    Args:
        session: The session that signed it.
        receipt: Its receipt.
        message: The message.
        more: Further fields by their JSON names.
        as_json: Whether to print JSON.
    """
    document = {
        f"{message.subject.kind}Id": str(message.subject.id),
        **more,
        "status": receipt.status,
        "transactionHash": None if receipt.transaction_hash is None else str(receipt.transaction_hash),
        "blockNumber": receipt.block_number,
        "receipt": receipt.id,
        "alreadyDone": receipt.already_done,
        "chainId": session.deployment.chain_id,
        "contract": str(session.contract_of(message)),
    }
    if as_json:
        print_json(document)
    else:
        print_fields(document | {"alreadyDone": receipt.already_done or None})
