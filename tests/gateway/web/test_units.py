"""The page's own unit tests, in services/gateway/web/test."""

import subprocess
from pathlib import Path

from tests.gateway.web.conftest import WEB


def test_the_units_of_the_page_do_what_they_say(node: Path) -> None:
    vitest = WEB / "node_modules" / "vitest" / "vitest.mjs"
    run = subprocess.run(
        [node, vitest, "run", "--reporter=verbose", "--no-color"],
        cwd=WEB, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
