"""Verify an evidence bundle offline, step by step, by a trust policy that the auditor chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.header import Header
from registry.ethereum.trie import Nodes
from registry.evidence import checks
from registry.evidence.bundle import FORMAT, Bundle, parse_bundle
from registry.evidence.checks import ShownContent
from registry.evidence.limits import limits_of
from registry.evidence.record import History, Record, main_room, proof_of
from registry.evidence.steps import Run, Step, StepResult
from registry.evidence.trust import Authority, Trust
from registry.manifest import Entry, Manifest
from registry.rooms.proof_adapter import NotProven
from registry.rooms.protocol import Protocols


@dataclass(frozen=True, slots=True)
class Verified:
    """The verified content of a bundle.

    Args:
        chain_id: The chain's id.
        dataset_id: The id of the bundle's subject.
        record: The record as of a block: the subject, its history, and the accounts beside it.
        history: The events, and the states that they fold to.
        is_complete: Whether it is proven that no later event up to the block was left out.
        content: The content of a version that the bundle shows.
        steps: The results of all steps, also of those that were not carried out.
        not_proven: The limits of the verification: what it does not prove.
    """

    chain_id: int
    dataset_id: DatasetId
    record: Record
    history: History
    is_complete: bool
    content: ShownContent
    steps: tuple[StepResult, ...]
    not_proven: tuple[NotProven, ...]

    @property
    def manifest(self) -> Manifest | None:
        """The manifest of the version shown, if it is in the bundle."""
        return self.content.manifest

    @property
    def files(self) -> tuple[Entry, ...]:
        """The single files shown."""
        return self.content.files

    @property
    def metadata(self) -> dict[str, Any] | None:
        """The metadata of the version shown, if it is in the bundle."""
        return self.content.metadata

    @property
    def version(self) -> int | None:
        """The version whose content is shown; None if there is none."""
        return self.content.version


def verify(
    source: bytes, trust: Trust, protocols: Protocols, *, contracts: Mapping[str, Address] | None = None
) -> Verified:
    """Verify a bundle; `registry.evidence.steps` lists the steps.

    Warning: the deployer of a contract chooses its initial storage. Therefore an address that the auditor does not know
    proves only its deployer's claims, except for signed messages. The result names such an address as not proven.

    Args:
        source: The bundle, byte for byte as it was issued.
        trust: How the auditor decides that a block belongs to the chain.
        protocols: The rooms that a bundle can show.
        contracts: The contracts' addresses that the auditor knows, by name.

    Raises:
        StepFailed: A step failed; its message names the step.
        InvalidInput: `contracts` names an unknown contract.

    Returns:
        The verified content.
    """
    pins = _pins(contracts or {}, protocols)
    run = Run()
    with run.step(Step.FORM):
        bundle = parse_bundle(source, protocols)
        run.proven(Step.FORM, name=FORMAT)
    headers, authority = _check_blocks(run, bundle, trust, pins)
    last = headers[max(headers)]
    history = _check_history(run, bundle, headers, protocols)
    if bundle.state is not None:
        _check_state(run, bundle, bundle.state, last, history, protocols)
    content = _check_statements(run, bundle, last, history, protocols)
    return Verified(
        chain_id=bundle.chain_id,
        dataset_id=bundle.dataset_id,
        record=bundle.record,
        history=history,
        is_complete=bundle.state is not None,
        content=content,
        steps=run.results(),
        not_proven=tuple(limits_of(bundle, history, last, pins, authority, protocols)),
    )


def blocks_to_vouch_for(source: bytes, protocols: Protocols) -> dict[int, Bytes32]:
    """Return the blocks by height that a bundle needs vouched for, so that nodes can be asked before verifying.

    Raises:
        StepFailed: The bundle is malformed.
    """
    run = Run()
    with run.step(Step.FORM):
        bundle = parse_bundle(source, protocols)
    with run.step(Step.BLOCKS):
        return {part[-1].number: part[-1].hash for part in checks.runs_of(bundle)}


def _pins(contracts: Mapping[str, Address], protocols: Protocols) -> dict[str, Address]:
    """Return the addresses that the auditor knows, each of a contract that a room has."""
    for name in contracts:
        if name not in protocols.contracts:
            raise InvalidInput(f"There is no contract {name[:80]!r}.", hint=f"Known: {', '.join(protocols.contracts)}.")
    return dict(contracts)


def _check_blocks(
    run: Run, bundle: Bundle, trust: Trust, pins: Mapping[str, Address]
) -> tuple[dict[int, Header], Authority]:
    """Carry out the steps about blocks. Return the headers by height, and who vouched for them."""
    with run.step(Step.BLOCKS):
        runs = checks.runs_of(bundle)
        headers = {header.number: header for part in runs for header in part}
        last = runs[-1][-1]
        run.proven(Step.BLOCKS, count=len(headers))
    with run.step(Step.TRUST):
        authority = checks.vouched(bundle, trust, {part[-1].number: part[-1].hash for part in runs})
        checks.require_pinned(bundle, pins)
        run.proven(Step.TRUST, number=last.number, block=str(last.hash), authority=authority)
    return headers, authority


def _check_history(run: Run, bundle: Bundle, headers: dict[int, Header], protocols: Protocols) -> History:
    """Carry out the steps about receipts and the events in them."""
    with run.step(Step.RECEIPTS):
        logs = checks.logs_in(bundle, headers)
        run.proven(Step.RECEIPTS, count=sum(len(part.transactions) for part in bundle.receipts))
    with run.step(Step.HISTORY):
        history = checks.history_in(bundle, logs, protocols)
        run.proven(Step.HISTORY, count=len(history.events))
    return history


def _check_state(
    run: Run, bundle: Bundle, state: tuple[bytes, ...], last: Header, history: History, protocols: Protocols
) -> None:
    """Carry out the steps that need the state at the bundle's block."""
    contract = history.main.contract
    with run.step(Step.CONTRACTS):
        nodes = Nodes(state)
        storage_root, release = checks.storage_of(bundle, nodes, last, contract, protocols)
        address = str(bundle.contracts.addresses()[contract])
        run.proven(Step.CONTRACTS, address=address, contract=contract, release=release)
    with run.step(Step.HEAD):
        checks.require_slots(nodes, storage_root, history.main, main_room(protocols))
        run.proven(Step.HEAD, number=last.number)
    with run.step(Step.ACCESS):
        count = checks.require_accounts(bundle, nodes, last, history, protocols)
        if count:
            run.proven(Step.ACCESS, count=count)
        nodes.require_all_read()


def _check_statements(run: Run, bundle: Bundle, last: Header, history: History, protocols: Protocols) -> ShownContent:
    """Carry out the steps about what the bundle states: its record, the signed messages, and the content."""
    with run.step(Step.RECORD):
        checks.require_record(bundle, history, last, protocols)
        run.proven(Step.RECORD, time=last.timestamp)
    if bundle.messages:
        with run.step(Step.SIGNATURES):
            checks.require_signatures(bundle, history, protocols)
            run.proven(Step.SIGNATURES, count=len(bundle.messages), of=len(history.events))
    if bundle.content is None:
        return ShownContent()
    with run.step(Step.CONTENT):
        versions = proof_of(main_room(protocols)).versions
        content = checks.content_in(bundle, () if versions is None else versions(history.main.state))
        run.proven(Step.CONTENT, version=content.version)
    return content
