"""`python -m tests.gateway.web.screenshot`: the READMEs' pictures of the live page, docs/page.{en,ko}.webp.

Of the demo and its virtual gym, so that nobody real is shown. It takes two minutes, a Chromium and the page's packages.
"""

import asyncio
import shutil
import sys
from pathlib import Path

import cv2

from tests.gateway.web.scenarios import ARTEFACTS, find_chromium, scenario
from tests.support.redis_server import CHECKOUT
from tests.system.running import demo

QUALITY = 86
MOST_BYTES = 200_000


def main() -> None:
    """Run the demo, look at its page, keep what was seen."""
    node, chromium = shutil.which("node"), find_chromium()
    if node is None or chromium is None:
        sys.exit("no node or no Chromium to look at the page with: on Debian, apt install nodejs chromium")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with demo() as running:
        address = running.gateway.removeprefix("http://")
        asyncio.run(scenario("screenshot", address, Path(node), Path(chromium)))
    for language in ("en", "ko"):
        picture = cv2.imread(str(ARTEFACTS / f"page.{language}.png"))
        assert picture is not None
        file = CHECKOUT / "docs" / f"page.{language}.webp"
        cv2.imwrite(str(file), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
        size = file.stat().st_size
        print(f"{file.relative_to(CHECKOUT)}: {picture.shape[1]}×{picture.shape[0]}, {size // 1000} kB")
        if size > MOST_BYTES:
            sys.exit(f"{file.name} is larger than {MOST_BYTES // 1000} kB: lower QUALITY")


if __name__ == "__main__":
    main()
