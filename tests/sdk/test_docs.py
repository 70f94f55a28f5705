"""The examples of docs/sdk.md, each run in a process of its own as a reader would, against a real gateway."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.world import Gateway, open_node, running
from tests.fixtures.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/sdk.md").read_text(), re.MULTILINE | re.DOTALL)
PRINTED = ["0x", "ready ", "True", "VERIFIED", "There is no dataset"]
"""What each prints, among other things."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with open_node(tmp_path_factory.mktemp("node")) as node, running(node) as found:
        found.register()
        yield found


@pytest.mark.parametrize(("example", "printed"), zip(EXAMPLES, PRINTED, strict=True), ids=PRINTED)
def test_every_example_of_the_guide_runs(gateway: Gateway, example: str, printed: str) -> None:
    program = example.replace("http://127.0.0.1:8000", str(gateway.http.base_url).rstrip("/"))
    assert program != example
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout
