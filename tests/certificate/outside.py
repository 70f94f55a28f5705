"""Verifiers of credentials that are not ours: Digital Bazaar's in JavaScript, openvc in Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openvc.errors import OpenvcError
from openvc.verify import VerificationPolicy, verify_credential

from registry.certificate.context import CONTEXT, names_context

Json = dict[str, Any]


class DigitalBazaar:
    """`@digitalbazaar/vc` in a process that is asked one question after another."""

    def __init__(self) -> None:
        node = shutil.which("node")
        assert node, "Node 20 or later is needed: https://nodejs.org. Then: npm ci"
        script = Path(__file__).with_name("outside.mjs")
        self._process = subprocess.Popen([node, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def refusal(self, credential: Json, now: int) -> str | None:
        """Return why it refuses a credential at a time (Unix seconds), or None if it verifies.

        Our context is at hand for every host, and nothing is fetched.
        """
        assert self._process.stdin
        assert self._process.stdout
        named = [url for url in credential["@context"] if names_context(url)]
        contexts = dict.fromkeys(named, json.loads(CONTEXT))
        question = {"credential": credential, "contexts": contexts, "now": now * 1000}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        refused: str | None = None if answer.get("verified") is True else answer["refused"]
        return refused

    def close(self) -> None:
        self._process.communicate()


def openvc_refusal(credential: Json, now: int) -> str | None:
    """Return why openvc refuses a credential at a time (Unix seconds), or None if it verifies."""
    try:
        verify_credential(credential, policy=VerificationPolicy(now=datetime.fromtimestamp(now, UTC)))
    except OpenvcError as error:
        return str(error) or type(error).__name__
    return None
