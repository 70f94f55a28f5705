"""Data Integrity proofs of the suite eddsa-jcs-2022: an Ed25519 signature over the canonical JSON of a document.

Source: Data Integrity EdDSA Cryptosuites v1.0 (W3C recommendation), section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from registry.base.canonical import canonical_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.certificate import multibase
from registry.notes import ed25519

SUITE: Final = "eddsa-jcs-2022"
_MEMBERS: Final = {
    "@context", "created", "cryptosuite", "proofPurpose", "proofValue", "type", "verificationMethod"
}  # fmt: skip

Json = Mapping[str, Any]


def secured(document: Json, sign: Callable[[bytes], bytes], *, method: str, created: str) -> dict[str, Any]:
    """Return the document with a proof.

    Args:
        document: The document, without a proof.
        sign: Return the Ed25519 signature (64 bytes) over 64 bytes.
        method: The verification method: a URL that names the key.
        created: The time of signing, ISO 8601 in UTC.
    """
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": created,
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    if "@context" in document:
        options["@context"] = document["@context"]
    proof = {**options, "proofValue": multibase.encode(sign(_signed(document, options)))}
    return {**document, "proof": proof}


def verify_proof(document: Json, public: bytes) -> None:
    """Verify that a document has a proof made with a key.

    Args:
        document: The document with one proof.
        public: The Ed25519 public key, 32 bytes.

    Raises:
        InvalidInput: There is no such proof, or it has members that this suite does not define.
        VerificationFailed: The signature is not valid for this document.
    """
    proof = document.get("proof")
    if not isinstance(proof, Mapping) or proof.get("cryptosuite") != SUITE or proof.get("type") != "DataIntegrityProof":
        raise InvalidInput(f"The document does not have a single proof of the suite {SUITE}.")
    if set(proof) - _MEMBERS or not isinstance(proof.get("proofValue"), str):
        raise InvalidInput("The proof has unknown members, or no value.")
    if proof.get("proofPurpose") != "assertionMethod":
        raise VerificationFailed("The purpose of the proof is not assertionMethod.")
    if proof.get("@context") != document.get("@context"):
        raise VerificationFailed("The proof has another context than the document.")
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    signature = multibase.decode(proof["proofValue"])
    if not ed25519.is_valid(public, _signed(unsecured, options), signature):
        raise VerificationFailed("The document's signature is not valid.")


def _signed(document: Json, options: Json) -> bytes:
    """Return the signed bytes: the hash of the proof's options, then that of the document."""
    return sha256(canonical_json(options)).digest() + sha256(canonical_json(document)).digest()
