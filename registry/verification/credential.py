"""Verify files against a Verifiable Credential offline, on the authority of its issuer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32
from registry.certificate.credential import verify_credential
from registry.manifest import Manifest
from registry.rooms.datasets.messages import CONTRACT
from registry.verification.files import Files, compare_files
from registry.verification.report import TRUTH_OF_CONTENT, UNCOMPARED, Report, Standing, what_followed


def verify_with_credential(
    document: Mapping[str, Any],
    issuer: str | None,
    contracts: Mapping[str, Address],
    files: Files | None = None,
    manifest: Manifest | None = None,
) -> Report:
    """Verify a credential's signature, then compare files with the content root that it states.

    Args:
        document: The credential.
        issuer: The `did:key` of the issuer that the auditor trusts.
        contracts: The contracts' addresses that the auditor knows, by name.
        files: The files and folders; None means that no content is compared.
        manifest: The manifest, or None.

    Raises:
        InvalidInput: It is not a credential of this project, or the issuer is missing or malformed.
        VerificationFailed: The manifest has another root.
    """
    report = Report(not_proven=(TRUTH_OF_CONTENT,))
    trusted = _issuer(issuer)
    try:
        signer = verify_credential(document)
    except VerificationFailed as failed:
        return replace(report, refused=str(failed))
    if trusted != signer:
        return replace(report, refused=f"The credential is signed by {signer}, not by {trusted}.")
    subject = _subject(document)
    contract = subject["registry"].rpartition(":")[2]
    if contract != str(contracts.get(CONTRACT, contract)):
        known = contracts[CONTRACT]
        return replace(report, refused=f"The credential is about the registry {contract}, not about {known}.")
    root = Bytes32.parse(subject["contentRoot"])
    report = _stated(report, subject, signer, root, document["evidence"][0]["sha256"])
    if files is None:
        return replace(report, not_proven=(UNCOMPARED, *report.not_proven))
    return compare_files(report, files, root, manifest)


def _issuer(issuer: str | None) -> str:
    if issuer is None:
        raise InvalidInput(
            "No issuer given: --issuer DID.",
            hint="The operator of the registry publishes it; do not take it from the credential itself.",
        )
    if not re.fullmatch("did:key:z[1-9A-HJ-NP-Za-km-z]+", issuer):
        raise InvalidInput(f"An issuer is a did:key, for example did:key:z6Mk...; got {issuer[:80]!r}.")
    return issuer


def _stated(report: Report, subject: Mapping[str, Any], signer: str, root: Bytes32, bundle_hash: str) -> Report:
    """Return the report with the statements of a genuine credential, and with its limits."""
    is_withdrawn = subject["status"] == "withdrawn"
    number, latest = subject["datasetVersion"], subject["latestVersion"]
    report = report.with_steps(
        f"{signer} signed the credential, and it has not been altered since.",
        f"It says that version {number} of the dataset {subject['datasetId']} has the content root "
        f"{root}, was registered at {_readable(subject['registeredAt'])}, belongs to {subject['owner']}, and is "
        f"{subject['status']}, as of block {subject['asOfBlock']}, {_readable(subject['asOf'])}.",
    ).without_proof_of(
        "Anything beyond its issuer's word: the chain was not read. The evidence bundle with the SHA-256 "
        f"{bundle_hash} does not depend on the issuer: tdr verify --bundle.",
        f"Anything after block {subject['asOfBlock']}.",
        *what_followed(number, latest, None),
    )
    if is_withdrawn:
        reason = subject.get("withdrawalReason", "")
        report = report.without_proof_of(
            f"That the dataset may still be relied on: its owner withdrew it, saying {reason!r}."
        )
    return replace(
        report,
        standing=Standing(number, latest, is_withdrawn),
        record={
            "datasetId": subject["datasetId"],
            "version": number,
            "latestVersion": latest,
            "owner": subject["owner"].rpartition(":")[2],
            "registeredAt": subject["registeredAt"],
            "status": subject["status"],
            "withdrawn": is_withdrawn,
            "isLatest": number == latest,
            "asOfBlock": subject["asOfBlock"],
            "asOfBlockHash": subject["asOfBlockHash"],
        },
        content_root=root,
    )


def _subject(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the subject of a credential after checking its members, because its signer may have omitted any."""
    subject, evidence = document.get("credentialSubject"), document.get("evidence")
    texts = ("contentRoot", "datasetId", "registry", "registeredAt", "owner", "status", "asOf", "asOfBlockHash")
    whole = (
        isinstance(subject, dict)
        and all(isinstance(subject.get(name), str) for name in texts)
        and all(type(subject.get(name)) is int for name in ("datasetVersion", "latestVersion", "asOfBlock"))
        and isinstance(evidence, list)
        and len(evidence) == 1
        and isinstance(evidence[0], dict)
        and isinstance(evidence[0].get("sha256"), str)
    )
    if not whole or not isinstance(subject, dict):
        raise InvalidInput("The credential lacks members that a tdr node of this version includes.")
    return subject


def _readable(moment: str) -> str:
    """Return a time in ISO 8601 in readable form with its zone; return other texts unchanged."""
    is_time = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment)
    return f"{moment[:10]} {moment[11:19]} UTC" if is_time else moment
