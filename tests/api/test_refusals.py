"""Refusals by the contracts: the problem has the Solidity error's name and values, and nothing is accepted."""

from __future__ import annotations

from dataclasses import replace

from registry.base.primitives import Bytes32, DatasetId
from registry.rooms.datasets.messages import Source
from tests.api.world import ANALYST, OWNER, STRANGER, Gateway, grant, path_of, revocation, transfer, withdrawal


def test_a_strangers_signature_is_refused(gateway: Gateway) -> None:
    problem = gateway.send(gateway.registration(), STRANGER)
    assert problem.status_code == 403
    assert (problem.json()["error"], problem.json()["type"]) == (
        "SignatureNotBySigner",
        "/problems/signature-not-by-signer",
    )
    assert problem.json()["values"]["signer"] == str(OWNER.address)


def test_a_signature_for_another_chain_or_contract_is_refused(gateway: Gateway) -> None:
    """C5: a signature is for one chain and one contract."""
    message = gateway.registration()
    here = gateway.deployment
    for elsewhere in (
        replace(here, chain_id=here.chain_id + 1),
        replace(here, contracts={"DatasetRegistry": here.contracts["AccessGrants"]}),
    ):
        body = {"message": message.to_json(), "signature": gateway.signature(message, deployment=elsewhere)}
        answer = gateway.http.post(path_of(message), json=body)
        assert (answer.status_code, answer.json()["error"]) == (403, "SignatureNotBySigner")


def test_a_message_whose_deadline_has_passed_is_refused(gateway: Gateway) -> None:
    """C7: after its deadline a message has no effect."""
    answer = gateway.send(gateway.registration(deadline=1_000_000_000))
    assert (answer.status_code, answer.json()["error"]) == (422, "DeadlinePassed")
    assert answer.json()["values"]["deadline"] == 1_000_000_000


def test_a_message_that_follows_another_head_is_refused(gateway: Gateway) -> None:
    dataset_id = gateway.register()
    head = gateway.head(dataset_id)
    gateway.settle(gateway.revision(dataset_id, head))
    answer = gateway.send(gateway.revision(dataset_id, head))
    assert (answer.status_code, answer.json()["error"]) == (409, "HeadMismatch")
    assert answer.json()["values"] == {
        "datasetId": str(dataset_id),
        "present": str(gateway.head(dataset_id)),
        "given": str(head),
    }


def test_sources_that_do_not_exist_are_refused(gateway: Gateway) -> None:
    unknown = Source(dataset_id=DatasetId(b"\x11" * 32), version=1)
    answer = gateway.send(gateway.registration(sources=(unknown,)))
    assert (answer.status_code, answer.json()["error"]) == (422, "SourceUnknown")


def test_nobody_but_the_owner_grants_revokes_passes_on_or_withdraws(gateway: Gateway) -> None:
    """C2 and C8: each of these needs the owner's signature."""
    dataset_id = gateway.register()
    gateway.settle(grant(dataset_id))
    head = gateway.head(dataset_id)
    for message in (
        grant(dataset_id, 1),
        revocation(dataset_id, 1),
        transfer(dataset_id, head, STRANGER.address),
        withdrawal(dataset_id, head),
    ):
        answer = gateway.send(message, STRANGER)
        assert (answer.status_code, answer.json()["error"]) == (403, "SignatureNotBySigner"), message
    assert gateway.head(dataset_id) == head


def test_what_is_not_there_is_not_found(gateway: Gateway) -> None:
    unknown = DatasetId(b"\x22" * 32)
    answer = gateway.send(transfer(unknown, Bytes32(b"\1" * 32), ANALYST.address))
    assert (answer.status_code, answer.json()["error"]) == (404, "DatasetUnknown")


def test_a_revocation_of_nothing_is_refused(gateway: Gateway) -> None:
    answer = gateway.send(revocation(gateway.register(), 0))
    assert (answer.status_code, answer.json()["error"]) == (409, "NothingToRevoke")
