"""The second verifier, in JavaScript, as a process that is asked one question after another."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from registry.evidence.steps import StepFailed
from registry.evidence.texts import Language, not_proven_text, refusal_text, step_text
from registry.evidence.verify import Verified, verify
from registry.rooms.access.summary import summaries_of
from registry.rooms.datasets.summary import headline
from registry.rooms.protocols import PROTOCOLS
from registry.verification.bundle import summary_of
from registry.verification.grantees import access_of
from tests.evidence.cases import trust_of
from tests.fixtures.waiting import PATIENCE

HERE = Path(__file__).parent
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LATER = (-(10**6), -3, -2, -1, 1, 2**40, 2**49)
"""Seconds from a bundle's block at which access is compared as well."""
VERIFIER = HERE.parents[1] / "api/verifier"
Json = dict[str, Any]


def node_binary() -> str:
    """Node.js, which these tests require."""
    found = shutil.which("node")
    assert found, "Node 20 or later is needed for the second verifier: https://nodejs.org"
    return found


class SecondVerifier:
    """Answers until it is closed. An error other than a refusal ends it, which appears as a broken pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [node_binary(), str(HERE / "answer.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, question: str, **given: Any) -> Json:
        """The answer: either `answer`, or `refused` and `failsAt`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"question": question, **given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the JavaScript verifier crashed at {question}: {str(given)[:2000]}"
        answer: Json = json.loads(line)
        return answer

    def verify(self, bundle: bytes, trust: Json) -> Json:
        """Return its result for a bundle: the step that fails, or all that it proves."""
        answer = self.ask("verify", bundle=base64.b64encode(bundle).decode(), trust=trust)
        failure = {name: value for name, value in answer.items() if name in ("failsAt", "failsIn", "refusal")}
        return failure if "refused" in answer else answer["answer"]

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE)
        assert self._process.stdout
        self._process.stdout.close()


def first_verdict(bundle: bytes, trust: Json) -> Json:
    """Return the result of the Python verifier for a bundle, in the same form."""
    try:
        verified = verify(bundle, trust_of(trust), PROTOCOLS)
    except StepFailed as failed:
        refusal = {language: refusal_text(failed.step, language) for language in LANGUAGES}
        return {"failsAt": failed.number, "failsIn": failed.title, "refusal": refusal}
    shown: Json = json.loads(json.dumps(_shown(verified), default=str))
    return shown


def _access(verified: Verified, seconds: int) -> list[Json]:
    """Return each grantee's access this many seconds after the bundle's block."""
    return [
        {to_camel(key): list(value) if key == "rights" else value for key, value in asdict(one).items()}
        for one in summaries_of(access_of(verified), verified.record.block.time + seconds)
    ]


def _shown(verified: Verified) -> Json:
    summary = summary_of(verified)
    return {
        "isComplete": verified.is_complete,
        "record": verified.record.model_dump(mode="json", by_alias=True),
        "version": verified.version,
        "metadata": verified.metadata,
        "files": [file.path for file in verified.files],
        "manifest": verified.manifest and [entry.path for entry in verified.manifest.entries],
        "summary": {
            **{to_camel(key): value for key, value in asdict(summary).items()},
            "isLatest": summary.is_latest,
            "status": summary.status,
        },
        "access": _access(verified, 0),
        "accessLater": [_access(verified, seconds) for seconds in LATER],
        "headline": headline(
            summary.version,
            summary.latest_version,
            is_withdrawn=summary.withdrawn_at is not None,
            withdrawn_at=summary.withdrawn_at,
        ),
        "steps": {
            language: [[step.number, step.title, step_text(step, PROTOCOLS, language)] for step in verified.steps]
            for language in LANGUAGES
        },
        "limits": [item.code for item in verified.not_proven],
        "notProven": {
            language: [not_proven_text(item, PROTOCOLS, language) for item in verified.not_proven]
            for language in LANGUAGES
        },
    }
