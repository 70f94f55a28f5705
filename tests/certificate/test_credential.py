"""The credential: signed as the W3C's own example is, and not to be altered unnoticed."""

from __future__ import annotations

import json
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from registry.base.canonical import read_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.certificate import multibase
from registry.certificate.context import CONTEXT, DIGEST, context_url, names_context
from registry.certificate.credential import verify_credential
from registry.certificate.proof import secured, verify_proof
from registry.notes.note import KeyKind, SigningKey
from tests.certificate.facts import KEY, issued

VECTOR: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/credential/signed.json").read_text())
VECTOR_PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
VECTOR_SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"


def test_the_w3cs_example_is_signed_to_the_same_value() -> None:
    key = SigningKey("w3c", KeyKind.NOTE, multibase.decode(VECTOR_SECRET)[2:])
    unsecured = {name: value for name, value in VECTOR.items() if name != "proof"}
    proof = VECTOR["proof"]
    made = secured(unsecured, key.sign_bytes, method=proof["verificationMethod"], created=proof["created"])
    assert made == VECTOR


def test_the_w3cs_example_verifies_and_fails_when_altered() -> None:
    public = multibase.decode(VECTOR_PUBLIC)[2:]
    verify_proof(VECTOR, public)
    altered = deepcopy(VECTOR)
    altered["credentialSubject"]["alumniOf"] = "Another school"
    with pytest.raises(VerificationFailed):
        verify_proof(altered, public)


def test_our_credential_verifies_and_names_its_issuer() -> None:
    document = read_json(json.dumps(issued()))
    assert isinstance(document, dict)
    assert verify_credential(document) == multibase.did_of(KEY.verifier.public)


def test_the_issuers_name_is_the_key_itself() -> None:
    public = multibase.decode(VECTOR_PUBLIC)[2:]
    assert multibase.did_of(public) == f"did:key:{VECTOR_PUBLIC}"
    assert multibase.public_of(multibase.method_of(public)) == public


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name, child in value.items() for found in leaves(child, (*path, name))]
    if isinstance(value, list):
        return [found for number, child in enumerate(value) for found in leaves(child, (*path, number))]
    return [path]


def test_no_value_of_the_credential_can_be_altered_or_removed() -> None:
    """R7 for the credential: any change fails."""
    original = issued()
    for path in leaves(original):
        for change in ("alter", "remove"):
            altered = deepcopy(original)
            parent: Any = altered
            for step in path[:-1]:
                parent = parent[step]
            if change == "remove":
                del parent[path[-1]]
            else:
                value = parent[path[-1]]
                parent[path[-1]] = value + 1 if isinstance(value, int) else f"{value}x"
            with pytest.raises((VerificationFailed, InvalidInput)):
                verify_credential(altered)


def test_a_credential_signed_by_another_than_its_issuer_is_refused() -> None:
    other = SigningKey("other.example", KeyKind.NOTE, bytes(32))
    unsecured = {name: value for name, value in issued().items() if name != "proof"}
    forged = secured(
        unsecured, other.sign_bytes, method=multibase.method_of(other.verifier.public), created="2026-11-23T05:00:00Z"
    )
    with pytest.raises(VerificationFailed, match="another key"):
        verify_credential(forged)


@pytest.mark.parametrize(
    "method",
    [
        "",
        "did:key:",
        "did:key:z",
        "did:web:example.com#key",
        "did:key:z6Mk0OIl#z6Mk0OIl",
        f"did:key:{VECTOR_PUBLIC}#other",
    ],
)
def test_a_verification_method_that_is_no_ed25519_key_is_refused(method: str) -> None:
    with pytest.raises(InvalidInput):
        multibase.public_of(method)


def test_base58_keeps_leading_zeros() -> None:
    for raw in (b"", b"\0", b"\0\0\x01", bytes(32), bytes(range(64))):
        assert multibase.decode(multibase.encode(raw)) == raw


def test_a_context_of_other_content_or_at_no_http_address_is_refused() -> None:
    """Even if signed: with another context the same terms have another meaning."""
    for context in (
        f"https://registry.example/contexts/{'5a' * 32}.jsonld",
        f"https://registry.example/{DIGEST}.jsonld",
        f"file:///contexts/{DIGEST}.jsonld",
        f"https://registry.example/contexts/{DIGEST}.jsonld#x",
        json.loads(CONTEXT)["@context"],
    ):
        with pytest.raises(InvalidInput, match="Not a DataRegistrationCredential"):
            verify_credential(issued(context=context))
    assert verify_credential(issued(context=context_url("http://other.example/data/")))


def test_the_context_is_at_an_address_that_names_its_content() -> None:
    """A change of the context is another address, and has to be meant: credentials that are out name this one."""
    assert sha256(CONTEXT).hexdigest() == DIGEST
    assert DIGEST == "5a2080c79439a8041c08d3bf04e0201304bb8f1e79a3ca3bcb3114652e7b049b"
    assert names_context(f"https://registry.example/contexts/{DIGEST}.jsonld")
