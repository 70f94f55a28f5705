"""Write to the chain through a gateway: unlock the key, sign here, send, wait, and print the outcome."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.base.errors import ContractRefused, InvalidInput, NotFound, RegistryError, Unavailable
from registry.base.primitives import Address, Bytes32
from registry.chain.client import WrongChain
from registry.cli import clock
from registry.cli.options import Wait
from registry.cli.output import print_fields, print_json, status_line
from registry.cli.password import password_of
from registry.cli.times import parse_time, show_time
from registry.config import addresses_by_name
from registry.ethereum.eip712 import Message, Signable
from registry.keys.folder import KeyFolder
from registry.keys.keystore import unlock
from registry.keys.signer import Signer
from registry.rooms.deployment import Deployment
from registry.sdk.client import Client
from registry.sdk.exchange import Operation
from registry.sdk.models.receipts import Receipt
from registry.sdk.models.result import Json
from registry.sdk.signing import AnySigned, Signed, sign


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
        raise RegistryError(f"A dry run does not sign anything, including {digest}.")


@dataclass(frozen=True, slots=True)
class SigningSession:
    """What is needed to sign and send: the gateway, the chain that it serves, and the key.

    Args:
        gateway: Receives the messages.
        deployment: The chain and contracts that they are signed for.
        signer: Signs them.
        keys: The folder of the key.
        now: Return the chain's time, Unix seconds.
    """

    gateway: Client
    deployment: Deployment
    signer: Signer | LockedKey
    keys: Path
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
                f"The deadline {text!r} has already passed: the chain's time is {show_time(now)}.",
                hint="Give a later time, or a duration such as 1h.",
            )
        return deadline

    def send(
        self,
        message: Message,
        *,
        wait: Wait | None,
        members: Json | None = None,
        shown_by: Operation[object] | None = None,
    ) -> Receipt:
        """Sign a message, send it, and wait with a line of progress.

        Args:
            message: The message.
            wait: What to wait for; None: nothing.
            members: What else the gateway takes with this message, as further members of the body; or None.
            shown_by: Read the subject of the message, with `min_block`; None: do not wait for the index.

        Returns:
            The receipt at the end of the wait.

        Raises:
            RegistryError: As the `send` and `wait` of `registry.sdk.client.Client` do.
        """
        signed = self.sign(message)
        try:
            receipt = self.gateway.send(signed, members)
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
        # The next command should see this write. The write is done even if the index is not up to date in time.
        if shown_by is not None and receipt.block_number is not None:
            with suppress(Unavailable, NotFound):
                self.gateway.ask(shown_by.with_query(min_block=str(receipt.block_number)))
        return receipt

    def sign(self, signable: AnySigned) -> Signed[AnySigned]:
        """Return a message or statement with the signature of this session's key."""
        return sign(signable, self.deployment, self.signer.sign)

    def not_by(self, owner: object, values: Mapping[str, Any] | None = None) -> ContractRefused:
        """Return the error for a signature by this key if another account has to sign.

        Args:
            owner: The account that has to sign.
            values: The values of the contract's error, if there is one.
        """
        return ContractRefused(
            "SignatureNotBySigner",
            {"signer": str(owner)} if values is None else values,
            f"Only {owner} may do this, but this key signs for {self.signer.address}.",
            hint="Sign with the owner's key: --key NAME. `tdr keys list` shows them.",
        )

    def _explained(self, refused: ContractRefused) -> ContractRefused:
        """Return a contract's error with an explanation for a wrong signer, who usually meant another key."""
        owner = str(refused.values.get("signer", ""))
        if refused.name != "SignatureNotBySigner" or owner.lower() == str(self.signer.address).lower():
            return refused
        return self.not_by(owner, refused.values)

    def contract_of(self, signable: Signable) -> Address:
        """Return the address of the contract that a message or statement is signed for."""
        return self.deployment.address_of(signable.CONTRACT)


@contextmanager
def open_session(
    url: str, keys: Path, key: str | None, password_file: Path | None, *, dry_run: bool = False
) -> Iterator[SigningSession]:
    """Open the key and the gateway, then ask for the password, so that errors show before any work is done.

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
        yield SigningSession(gateway, deployment, signer, folder, now)


def _require_pinned(deployment: Deployment) -> None:
    """Require that the gateway's chain and contracts are those in the owner's environment, if any are set there.

    Raises:
        WrongChain: One of them differs.
    """
    pins = [("TDR_CHAIN_ID", os.environ.get("TDR_CHAIN_ID", ""), str(deployment.chain_id))]
    for name, address in _pinned_contracts().items():
        pins.append((f"{name} in TDR_CONTRACTS", address, str(deployment.address_of(name))))
    for pin, known, served in pins:
        if known and known.lower() != served.lower():
            raise WrongChain(
                f"{pin} is {known}, but the gateway asks for a signature for {served}.",
                hint="Use a gateway of that chain and contract, or unset the variable.",
            )


def _pinned_contracts() -> dict[str, str]:
    try:
        return addresses_by_name(os.environ.get("TDR_CONTRACTS", ""))
    except ValueError as error:
        raise InvalidInput(f"TDR_CONTRACTS is malformed: {error}.") from error


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
