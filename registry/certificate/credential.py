"""Issue and verify the certificate as a W3C Verifiable Credential 2.0, signed by the node that read the chain.

Its issuer is a `did:key`, so it can be verified offline. Whether to trust that issuer is the reader's choice; the
evidence bundle, whose hash it contains, needs no such trust.

Source: Verifiable Credentials Data Model v2.0 (W3C recommendation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.times import iso_time
from registry.certificate import multibase
from registry.certificate.context import names_context
from registry.certificate.facts import Facts
from registry.certificate.proof import secured, verify_proof
from registry.rooms.datasets.caip import Namer

V2: Final = "https://www.w3.org/ns/credentials/v2"
KIND: Final = "DataRegistrationCredential"


def credential(facts: Facts, bundle: bytes, public: bytes, context: str) -> dict[str, Any]:
    """Return the credential, not yet signed.

    Args:
        facts: The facts that it states.
        bundle: The evidence bundle that the facts are of.
        public: The issuer's Ed25519 public key, 32 bytes.
        context: The address of the context of this project's terms (see `registry.certificate.context`).
    """
    return {
        "@context": [V2, context],
        "type": ["VerifiableCredential", KIND],
        "issuer": multibase.did_of(public),
        "validFrom": iso_time(facts.as_of.time),
        "credentialSubject": _subject(facts),
        "evidence": [{"type": "EvidenceBundle", "sha256": sha256(bundle).hexdigest()}],
    }


def issue(
    facts: Facts, bundle: bytes, public: bytes, sign: Callable[[bytes], bytes], *, context: str, now: int
) -> dict[str, Any]:
    """Return the signed credential.

    Args:
        facts: The facts that it states.
        bundle: The evidence bundle that the facts are of.
        public: The issuer's Ed25519 public key, 32 bytes.
        sign: Return that key's signature over bytes.
        context: The address of the context of this project's terms (see `registry.certificate.context`).
        now: Unix seconds, UTC.
    """
    document = credential(facts, bundle, public, context)
    return secured(document, sign, method=multibase.method_of(public), created=iso_time(now))


def verify_credential(document: Mapping[str, Any]) -> str:
    """Verify that a credential is of this project's kind and was signed by the issuer that it names.

    Args:
        document: The credential, read by `registry.base.canonical.read_json`.

    Returns:
        The issuer's `did:key`. The caller decides whether to trust it.

    Raises:
        InvalidInput: It is not such a credential.
        VerificationFailed: Another key signed it, or it was altered.
    """
    contexts = document.get("@context")
    known = isinstance(contexts, list) and len(contexts) == 2 and contexts[0] == V2 and names_context(contexts[1])
    if not known or document.get("type") != ["VerifiableCredential", KIND]:
        raise InvalidInput(f"Not a {KIND} of a tdr node of this version.")
    proof, issuer = document.get("proof"), document.get("issuer")
    method = proof.get("verificationMethod") if isinstance(proof, Mapping) else None
    if not isinstance(issuer, str) or not isinstance(method, str):
        raise InvalidInput("The credential has no issuer or no proof.")
    public = multibase.public_of(method)
    if multibase.did_of(public) != issuer:
        raise VerificationFailed("The credential is signed by another key than its issuer's.")
    verify_proof(document, public)
    return issuer


def _subject(facts: Facts) -> dict[str, Any]:
    namer = Namer(facts.chain_id, facts.registry)
    subject = {
        "id": namer.version(facts.dataset_id, facts.version),
        "type": "DatasetVersion",
        "specializationOf": namer.dataset(facts.dataset_id),
        "datasetId": str(facts.dataset_id),
        "datasetVersion": facts.version,
        "latestVersion": facts.latest_version,
        "name": facts.name,
        "license": facts.license,
        "contentRoot": str(facts.content_root),
        "metadataHash": str(facts.metadata_hash),
        "files": facts.files,
        "totalBytes": facts.size,
        "claimant": namer.account(facts.claimant),
        "owner": namer.account(facts.owner),
        "registry": namer.account(facts.registry),
        "registeredAt": iso_time(facts.registered.time),
        "registeredBlock": facts.registered.number,
        "derivedFrom": [namer.version(source.dataset_id, source.version) for source in facts.sources],
        "grants": [
            {
                "type": "Grant",
                "grantee": namer.account(permission.grantee),
                "rights": list(permission.rights),
                "until": iso_time(permission.until),
            }
            for permission in facts.permissions
        ],
        "furtherGrants": facts.further,
        "status": "withdrawn" if facts.is_withdrawn else "active",
        "withdrawalReason": facts.withdrawn_because,
        "asOf": iso_time(facts.as_of.time),
        "asOfBlock": facts.as_of.number,
        "asOfBlockHash": str(facts.as_of_hash),
    }
    return {name: value for name, value in subject.items() if value is not None}
