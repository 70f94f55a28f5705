"""Accepting messages: what is acknowledged is in the database, and what is not in the database is not acknowledged."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import orjson
from coincurve import PublicKey
from sqlalchemy import ColumnElement, Connection, and_, select

from registry.chain.client import Chain
from registry.chain.contracts import ECDSA_SIGNATURE_BYTES, calldata, gas_limit, simulate
from registry.chain.history import block_at
from registry.deployment import Deployment
from registry.eip712 import Domain
from registry.errors import Conflict, ContractRefused, InvalidInput, Unavailable
from registry.log import Moment
from registry.primitives import Address, Bytes32, keccak256
from registry.relay.effects import find_effect
from registry.relay.receipts import Receipt, Status, find_receipt
from registry.relay.tables import IDEMPOTENCY_KEYS, RECEIPTS
from registry.rooms import AnyMessage
from registry.storage.engine import Storage
from registry.storage.insert import insert_if_new

MAX_SIGNATURE_BYTES = 4096
MAX_KEY_CHARACTERS = 255
_ID_BYTES = 16
_FIRST_V = 27


@dataclass(frozen=True, slots=True)
class Submission:
    """A message that is ready to be sent, and all that follows from it.

    Args:
        message: The message.
        digest: What was signed.
        signer: Who signed, where the signature says it.
        contract: The contract that takes it.
        calldata: The transaction's input.
        gas: The most its transaction may use.
    """

    message: AnyMessage
    digest: Bytes32
    signer: Address | None
    contract: Address
    calldata: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key that a client chose so that it may repeat a request.

    Args:
        key: 1 to 255 visible ASCII characters.
        documents: Which documents came with the message; what they hold is bound to it by their hashes.

    Raises:
        InvalidInput: It is not that.
    """

    key: str
    documents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= MAX_KEY_CHARACTERS or not all("!" <= character <= "~" for character in self.key):
            raise InvalidInput(f"An idempotency key has 1 to {MAX_KEY_CHARACTERS} visible ASCII characters.")

    def body(self, submission: Submission) -> Bytes32:
        """What the key is used for: message, signature, and which documents."""
        return Bytes32(sha256(submission.calldata + ",".join(self.documents).encode()).digest())


def prepare(message: AnyMessage, signature: bytes, deployment: Deployment) -> Submission:
    """Puts together what is sent for a message. Pure: whether the contract will take it, `preflight` finds.

    Args:
        message: The message.
        signature: 65 bytes of ECDSA, or what an owner's contract takes (ERC-1271), at most 4096 bytes.
        deployment: The contracts.

    Raises:
        InvalidInput: It is no signature.
    """
    if not 1 <= len(signature) <= MAX_SIGNATURE_BYTES:
        raise InvalidInput(
            f"A signature has {ECDSA_SIGNATURE_BYTES} bytes, or at most {MAX_SIGNATURE_BYTES} where the owner is a"
            f" contract, but {len(signature)} were given."
        )
    contract = deployment.address_of(message.CONTRACT)
    digest = message.digest(Domain(message.CONTRACT, deployment.chain_id, contract))
    call = calldata(message, signature)
    return Submission(message, digest, _signer(digest, signature), contract, call, gas_limit(message, signature, call))


def submit(
    submission: Submission,
    *,
    chain: Chain,
    storage: Storage,
    deployment: Deployment,
    relayer: Address,
    clock: Callable[[], float],
    key: IdempotencyKey | None = None,
    also: Callable[[Connection], None] | None = None,
) -> Receipt:
    """Rehearses a message on the chain and accepts it. The same message, or the same key, has one receipt.

    Args:
        submission: From `prepare`.
        chain: The chain.
        storage: The database.
        deployment: The contracts.
        relayer: The account that will send it.
        clock: Gives the Unix time in seconds.
        key: The client's idempotency key, if it gave one.
        also: Writes more in the same database transaction, for example the documents that came with the message.

    Raises:
        Conflict: The key was used for another message.
        ContractRefused: The contract would refuse the message; nothing was accepted.
        Unavailable: The chain or the database cannot be used; nothing was accepted, as far as is known.
    """
    known = find(storage, submission, key)
    if known is not None:
        return _again(storage, known, also)
    done: Moment | None = None
    try:
        preflight(chain, relayer, submission)
    except ContractRefused:
        # It may have been sent before: by another request, or by somebody else's transaction.
        known = find(storage, submission, key)
        if known is not None:
            return _again(storage, known, also)
        done = find_effect(chain, deployment, submission.message, block_at(chain))
        if done is None:
            raise
    try:
        return accept(storage, submission, clock(), key=key, done=done, also=also)
    except Unavailable:
        # A commit that failed may have been carried out all the same: only the database knows.
        known = find(storage, submission, key)
        if known is None:
            raise
        return _again(storage, known, also)


def _again(storage: Storage, known: Receipt, also: Callable[[Connection], None] | None) -> Receipt:
    """The receipt of a message that was accepted before; what comes with it this time is kept too."""
    if also is not None:
        with storage.write() as connection:
            also(connection)
    return known


def preflight(chain: Chain, relayer: Address, submission: Submission) -> None:
    """Carries the very transaction out on the chain's newest state, without keeping its effect.

    Raises:
        ContractRefused: The contract would refuse it.
        ChainUnavailable: No usable answer came.
        RpcError: The node refused for a reason of its own.
    """
    simulate(
        chain,
        {
            "from": str(relayer),
            "to": str(submission.contract),
            "gas": hex(submission.gas),
            "data": f"0x{submission.calldata.hex()}",
        },
    )


def find(storage: Storage, submission: Submission, key: IdempotencyKey | None = None) -> Receipt | None:
    """The receipt that a message or its key has already, or None.

    Raises:
        Conflict: The key was used for another message.
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        return _find(connection, submission, key)


def accept(
    storage: Storage,
    submission: Submission,
    now: float,
    *,
    key: IdempotencyKey | None = None,
    done: Moment | None = None,
    also: Callable[[Connection], None] | None = None,
) -> Receipt:
    """Writes the receipt, in one database transaction. Once this returns, the message will not be lost.

    Args:
        storage: The database.
        submission: From `prepare`; not looked at again.
        now: Unix seconds.
        key: The client's idempotency key, if it gave one.
        done: Where the message has had its effect already, if it has.
        also: Writes more in the same transaction.

    Raises:
        Conflict: The key was used for another message.
        Unavailable: The database cannot be used. The transaction may have been committed all the same.
    """
    message = submission.message
    values: dict[str, object] = {
        "id": secrets.token_hex(_ID_BYTES),
        "status": Status.ACCEPTED,
        "kind": type(message).__name__,
        "message": orjson.dumps(message.to_json()).decode(),
        "dataset_id": message.dataset_id,
        "digest": submission.digest,
        "signer": submission.signer,
        "contract": submission.contract,
        "calldata": submission.calldata,
        "gas": submission.gas,
        "deadline": message.deadline,
        "accepted_at": now,
        "updated_at": now,
        "already_done": done is not None,
    }
    if done is not None:
        values |= {
            "status": Status.MINED,
            "transaction_hash": done.transaction_hash,
            "block_number": done.block_number,
            "block_hash": done.block_hash,
        }
    with storage.write() as connection:
        known = _find(connection, submission, key)
        if known is None:
            connection.execute(insert_if_new(connection, RECEIPTS).values(values))
            known = find_receipt(connection, _live(submission))
            if known is None:
                raise Unavailable("The database did not keep what was written to it.")
        if key is not None:
            connection.execute(
                insert_if_new(connection, IDEMPOTENCY_KEYS).values(
                    scope=_scope(submission), key=key.key, receipt_seq=known.seq, body=key.body(submission)
                )
            )
            known = _find(connection, submission, key) or known
        if also is not None:
            also(connection)
    return known


def _find(connection: Connection, submission: Submission, key: IdempotencyKey | None) -> Receipt | None:
    if key is not None:
        used = connection.execute(
            select(IDEMPOTENCY_KEYS.c.receipt_seq, IDEMPOTENCY_KEYS.c.body).where(
                IDEMPOTENCY_KEYS.c.scope == _scope(submission), IDEMPOTENCY_KEYS.c.key == key.key
            )
        ).one_or_none()
        receipt = None if used is None else find_receipt(connection, RECEIPTS.c.seq == used.receipt_seq)
        if used is not None and receipt is not None:
            if receipt.digest != submission.digest or used.body not in (None, key.body(submission)):
                raise Conflict(
                    "This idempotency key was used for another body.", hint="Choose a new key for each request."
                )
            return receipt
    return find_receipt(connection, _live(submission))


def _live(submission: Submission) -> ColumnElement[bool]:
    return and_(RECEIPTS.c.digest == submission.digest, RECEIPTS.c.status != Status.FAILED)


def _scope(submission: Submission) -> str:
    """Whose idempotency keys these are: a stranger's key must not get in the way of another's."""
    return str(submission.signer or submission.message.dataset_id)


def _signer(digest: Bytes32, signature: bytes) -> Address | None:
    """Who made an ECDSA signature. A contract's signature may look like one: the name is not proven here."""
    if len(signature) != ECDSA_SIGNATURE_BYTES or signature[-1] not in (_FIRST_V, _FIRST_V + 1):
        return None
    try:
        key = PublicKey.from_signature_and_message(
            signature[:-1] + bytes([signature[-1] - _FIRST_V]), digest, hasher=None
        )
    except ValueError:
        return None
    return Address(keccak256(key.format(compressed=False)[1:])[12:])
