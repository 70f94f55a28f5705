"""Files compared with a Verifiable Credential: offline, by the word of whoever issued it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from registry.base.canonical import read_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32
from registry.certificate.credential import verify_credential
from registry.cli import comparison
from registry.cli.comparison import Report, Standing
from registry.cli.content import hashed_for, is_file, read_text
from registry.cli.times import for_people
from registry.manifest import STANDARD, Manifest, Selection


def check_credential(
    paths: Sequence[Path] | None,
    file: Path,
    issuer: str | None,
    registry: str | None,
    given: Manifest | None,
    report: Report,
    selection: Selection = STANDARD,
) -> None:
    """Verifies a credential's signature, then compares what is on disk with the content root that it states.

    Args:
        paths: The files and folders; none: no content is compared.
        file: The credential.
        issuer: The `did:key` whose word counts.
        registry: The address of DatasetRegistry, if the auditor knows it.
        given: The manifest, if there is one.
        report: Takes the steps, the differences, and what is not proven; or why the credential is refused.
        selection: Which files on disk belong to the dataset.

    Raises:
        InvalidInput: It is no credential of ours, or cannot be read; or the issuer is missing or malformed.
    """
    if issuer is None:
        raise InvalidInput(
            "Say whose word the credential is to be taken on: --issuer DID.",
            hint="Its operator publishes it; what the credential itself says of it anybody could have written there.",
        )
    if not re.fullmatch("did:key:z[1-9A-HJ-NP-Za-km-z]+", issuer):
        raise InvalidInput(f"An issuer is a did:key, as did:key:z6Mk..., but this was given: {issuer[:80]!r}.")
    known = None if registry is None else Address.parse(registry)
    document = read_json(read_text(file))
    if not isinstance(document, dict):
        raise InvalidInput(f"A credential is a JSON object, but {str(file)!r} holds none.")
    try:
        signer = verify_credential(document)
    except VerificationFailed as failed:
        report.refused = str(failed)
        return
    if issuer != signer:
        report.refused = f"The credential is signed by {signer}, and not by {issuer}."
        return
    subject = _subject(document)
    contract = subject["registry"].rpartition(":")[2]
    if known is not None and contract != str(known):
        report.refused = f"The credential is about the registry {contract}, and not about {known}."
        return
    root = Bytes32.parse(subject["contentRoot"])
    report.steps.append(f"{signer} signed the credential, and it was not altered since.")
    report.steps.append(
        f"It says that version {subject['datasetVersion']} of the dataset {subject['datasetId']} has the content root "
        f"{root}, was registered at {for_people(subject['registeredAt'])}, belongs to {subject['owner']}, and is "
        f"{subject['status']}, as of block {subject['asOfBlock']}, {for_people(subject['asOf'])}."
    )
    is_withdrawn = subject["status"] == "withdrawn"
    report.standing = Standing(subject["datasetVersion"], subject["latestVersion"], is_withdrawn)
    report.record = {
        "datasetId": subject["datasetId"],
        "version": subject["datasetVersion"],
        "latestVersion": subject["latestVersion"],
        "owner": subject["owner"].rpartition(":")[2],
        "registeredAt": subject["registeredAt"],
        "status": subject["status"],
        "withdrawn": is_withdrawn,
        "isLatest": subject["datasetVersion"] == subject["latestVersion"],
        "asOfBlock": subject["asOfBlock"],
        "asOfBlockHash": subject["asOfBlockHash"],
    }
    report.not_proven.append(
        "Anything beyond its issuer's word: the chain was not looked at. The evidence bundle with the SHA-256 "
        f"{document['evidence'][0]['sha256']} needs no such word: tdr verify --bundle."
    )
    report.not_proven.append(f"Anything after block {subject['asOfBlock']}.")
    comparison.name_what_followed(report, subject["datasetVersion"], subject["latestVersion"], None)
    if is_withdrawn:
        reason = subject.get("withdrawalReason", "")
        report.not_proven.append(f"That the dataset may still be relied on: its owner withdrew it, saying {reason!r}.")
    report.content_root = root
    if not paths:
        report.not_proven.insert(0, comparison.UNCOMPARED)
        return
    found = hashed_for(paths, root, given, selection, report)
    comparison.check_content(found, root, given, report, is_file=is_file(paths))


def _subject(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a credential is about; its signer may have left out anything."""
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
        raise InvalidInput("The credential does not say all that one of a tdr node of this version says.")
    return subject
