"""Verify an evidence bundle or a certificate offline, and compare files with it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from registry.certificate import attachment
from registry.evidence import verify as evidence
from registry.evidence.limits import FILES, TRUTH
from registry.evidence.steps import StepFailed
from registry.evidence.texts import not_proven_text, step_text
from registry.evidence.verify import Verified
from registry.manifest import Manifest
from registry.rooms.datasets.summary import Summary
from registry.rooms.protocols import PROTOCOLS
from registry.verification import grantees
from registry.verification.files import Files, compare_files, compare_shown
from registry.verification.report import (
    TRUTH_OF_CONTENT,
    UNCOMPARED,
    Report,
    standing_of,
    summary_json,
    summary_text,
)
from registry.verification.trust import TrustOptions

PAGE: Final = "The text on the certificate's page: only the attached evidence was verified."


def verify(source: bytes, trust: TrustOptions, files: Files | None = None, manifest: Manifest | None = None) -> Report:
    """Verify a bundle or a certificate, then compare files with its content.

    Args:
        source: The bundle, or the certificate to which it is attached.
        trust: How the auditor decides that blocks belong to the chain.
        files: The files and folders; None means that no content is compared.
        manifest: The manifest, if it is not in the bundle.

    Raises:
        InvalidInput: The certificate has no bundle, or the files cannot be compared.
        VerificationFailed: The manifest has another root.
        ChainUnavailable: A node gave no usable answer.
    """
    report = verify_bundle(source, trust, Report(not_proven=(TRUTH_OF_CONTENT,)))
    verified = report.evidence
    if verified is None:
        return report
    summary, block = summary_of(verified), verified.record.block
    now = int(time.time())
    report = replace(
        report.with_steps(
            f"So version {summary.version} of {summary.latest_version} of the dataset {verified.dataset_id} has the "
            f"content root {summary.content_root}. {summary_text(summary)}"
        ),
        record={
            "datasetId": str(verified.dataset_id),
            **summary_json(summary),
            "asOfBlock": block.number,
            "asOfBlockHash": str(block.hash),
        },
        standing=standing_of(summary, is_complete=verified.is_complete),
        access=tuple(grantees.to_json(verified, now)),
        access_lines=tuple(grantees.lines(verified, now)),
        content_root=summary.content_root,
    )
    manifest = verified.manifest or manifest
    if files is None:
        unknown = [not_proven_text(item, PROTOCOLS) for item in verified.not_proven if item == FILES]
        return replace(report, not_proven=(UNCOMPARED, *report.not_proven, *unknown))
    if manifest is None and verified.files:
        return compare_shown(report, files, verified.files)
    return compare_files(report, files, summary.content_root, manifest)


def verify_bundle(source: bytes, trust: TrustOptions, report: Report) -> Report:
    """Verify a bundle or a certificate.

    Args:
        source: The bundle, or the certificate to which it is attached.
        trust: How the auditor decides that blocks belong to the chain.
        report: The report so far.

    Raises:
        InvalidInput: The certificate has no bundle.
        ChainUnavailable: A node gave no usable answer.

    Returns:
        The report with the steps and limits, or with the reason why the bundle is refused.
    """
    if attachment.is_pdf(source):
        source, report = attachment.read(source), report.without_proof_of(PAGE)
    try:
        verified = evidence.verify(source, trust.trust(source), PROTOCOLS, contracts=trust.contracts)
    except StepFailed as failed:
        return replace(report, refused=str(failed), failed_step=failed.step)
    steps = [f"{step.title}: {step_text(step, PROTOCOLS)}" for step in verified.steps]
    # The comparison of the files reports both of these.
    limits = [not_proven_text(item, PROTOCOLS) for item in verified.not_proven if item not in (TRUTH, FILES)]
    return replace(report.with_steps(*steps).without_proof_of(*limits), evidence=verified)


def summary_of(verified: Verified) -> Summary:
    """Return the summary of the version that a bundle shows, or else of the latest."""
    dataset = verified.history.main.state
    return Summary.of(dataset, verified.version or dataset.latest.number)
