"""R4: two libraries that are not ours take our credentials, and refuse the same ones forged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import replace

import pytest

from registry.base.errors import RegistryError
from registry.certificate import multibase
from registry.certificate.context import CONTEXT, DIGEST
from registry.certificate.credential import verify_credential
from registry.certificate.facts import Permission
from registry.certificate.proof import secured
from registry.notes.note import KeyKind, SigningKey
from tests.certificate.facts import FACTS, NOW, address, issued
from tests.certificate.outside import DigitalBazaar, Json, openvc_refusal

OTHER = SigningKey("other.example", KeyKind.NOTE, bytes(32))
FACES = {
    "ordinary": FACTS,
    "withdrawn": replace(FACTS, withdrawn_because="单位错误 \U0001f600 \u2028", latest_version=7),
    "bare": replace(FACTS, name=None, license=None, sources=(), permissions=(), files=None, size=None),
    "crowded": replace(
        FACTS,
        permissions=tuple(Permission(address(f"grantee {n}"), ("read", "bit-31"), 2**48 - 1) for n in range(100)),
        further=12,
    ),
}


@pytest.fixture(scope="module")
def digital_bazaar() -> Iterator[DigitalBazaar]:
    with closing(DigitalBazaar()) as library:
        yield library


def our_refusal(credential: Json) -> str | None:
    """Return why we refuse a credential, or None if it verifies."""
    try:
        verify_credential(credential)
    except RegistryError as error:
        return error.message
    return None


@pytest.mark.parametrize("face", FACES)
def test_outside_libraries_verify_our_credentials(digital_bazaar: DigitalBazaar, face: str) -> None:
    credential = issued(FACES[face])
    assert our_refusal(credential) is None
    assert digital_bazaar.refusal(credential, NOW) is None
    assert openvc_refusal(credential, NOW) is None


def changed_claim(credential: Json) -> None:
    credential["credentialSubject"]["contentRoot"] = f"0x{'11' * 32}"


def changed_right(credential: Json) -> None:
    credential["credentialSubject"]["grants"][0]["rights"].append("distribute")


def another_bundle(credential: Json) -> None:
    credential["evidence"][0]["sha256"] = "11" * 32


def added_claim(credential: Json) -> None:
    credential["credentialSubject"]["description"] = "true and lawful"


def changed_signature(credential: Json) -> None:
    value = bytearray(multibase.decode(credential["proof"]["proofValue"]))
    value[7] ^= 1
    credential["proof"]["proofValue"] = multibase.encode(bytes(value))


def changed_date_of_the_proof(credential: Json) -> None:
    credential["proof"]["created"] = "2026-11-24T05:00:00Z"


def another_purpose(credential: Json) -> None:
    credential["proof"]["proofPurpose"] = "authentication"


def without_proof(credential: Json) -> None:
    del credential["proof"]


def another_issuer(credential: Json) -> None:
    credential["issuer"] = multibase.did_of(OTHER.verifier.public)


def signed_by_another(credential: Json) -> None:
    """The issuer is named, but another signs."""
    del credential["proof"]
    method = multibase.method_of(OTHER.verifier.public)
    credential.update(secured(credential, OTHER.sign_bytes, method=method, created="2026-11-23T05:00:00Z"))


def another_method(credential: Json) -> None:
    credential["proof"]["verificationMethod"] = multibase.method_of(OTHER.verifier.public)


def another_context(credential: Json) -> None:
    credential["@context"][1] = f"https://other.example/contexts/{DIGEST}.jsonld"


def another_context_in_both_places(credential: Json) -> None:
    another_context(credential)
    credential["proof"]["@context"] = deepcopy(credential["@context"])


def a_further_context(credential: Json) -> None:
    credential["@context"].append("https://w3id.org/security/data-integrity/v2")


FORGERIES: list[Callable[[Json], None]] = [
    changed_claim,
    changed_right,
    another_bundle,
    added_claim,
    changed_signature,
    changed_date_of_the_proof,
    another_purpose,
    without_proof,
    another_issuer,
    signed_by_another,
    another_method,
    another_context,
    another_context_in_both_places,
    a_further_context,
]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forged_credential_is_refused_by_all(digital_bazaar: DigitalBazaar, forge: Callable[[Json], None]) -> None:
    credential = issued()
    forge(credential)
    refusals = our_refusal(credential), digital_bazaar.refusal(credential, NOW), openvc_refusal(credential, NOW)
    assert None not in refusals, refusals
    assert "ERR_MODULE_NOT_FOUND" not in str(refusals)


def test_the_contexts_give_every_claim_a_meaning_of_its_own() -> None:
    """What JSON-LD makes of the credential: each claim of ours is one term of `urn:tdr:`."""
    terms = json.loads(CONTEXT)["@context"]
    subject = issued(FACES["crowded"])["credentialSubject"]
    claims = {name for name in subject if name not in ("id", "type", "name")}
    claims |= {name for grant in subject["grants"] for name in grant if name != "type"}
    assert claims | {"withdrawalReason", "sha256", "DataRegistrationCredential"} <= set(terms)
    named = [term["@id"] if isinstance(term, dict) else term for name, term in terms.items() if name[0] != "@"]
    assert len(set(named)) == len(named)
