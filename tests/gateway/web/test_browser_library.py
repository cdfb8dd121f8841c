"""The library of references in a real browser: versions, files in and out, how an exercise is done."""

from pathlib import Path

import pytest

from services.scoring.library.store import ReferenceStore
from services.scoring.reference.building import build_template
from tests.gateway.door import Door
from tests.gateway.web.scenarios import scenario
from tests.scoring.puppet import squats

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]


async def test_versions_go_back_and_forth_and_a_reference_leaves_as_a_file_and_comes_in_again(
    mesh: Door, node: Path, chromium: Path, tmp_path: Path
) -> None:
    store = ReferenceStore(mesh.redis)
    now_us = mesh.gateway.clock.now_us()
    first = await store.add(build_template(squats(2), "squat"), "Squat", now_us)
    await store.add(build_template(squats(3), "squat"), "Squat", now_us + 1, first.reference_id, videos=2)
    await scenario("library", mesh.server.address, node, chromium, downloads=tmp_path)
    listed = (await mesh.client.get("/api/v1/references")).json()["references"]
    assert [(one["name"], one["version"]) for one in listed] == [("Squat", 1)]
    assert listed[0]["reference_id"] != first.reference_id  # the one that was imported; the other was deleted
