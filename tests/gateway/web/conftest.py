"""What building the page and driving a browser need."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gateway.web.scenarios import ARTEFACTS, find_chromium
from tests.support.capabilities import require
from tests.support.redis_server import CHECKOUT

WEB = CHECKOUT / "services" / "gateway" / "web"
STATIC = CHECKOUT / "services" / "gateway" / "static"


@pytest.fixture(scope="session")
def node() -> Path:
    """Node, with the page's packages installed."""
    found = shutil.which("node")
    require(found, "no node: the page's source cannot be built here")
    assert found
    version = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout
    require(
        int(version.lstrip("v").split(".")[0]) >= 20, f"node {version.strip()} is too old: the page needs 20"
    )
    require((WEB / "node_modules").is_dir(), "the page's packages are not installed: `make page-tools`")
    return Path(found)


@pytest.fixture(scope="session")
def chromium(node: Path) -> Path:
    """A Chromium to drive."""
    found = find_chromium()
    require(found, "no Chromium: on Debian, apt install chromium")
    assert found
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return Path(found)
