"""How a session that goes on keeps to its reference."""

from collections import Counter
from typing import Any

import pytest

from services.scoring.library.store import ReferenceStore
from services.scoring.reference.building import build_template
from tests.scoring.mesh import running
from tests.scoring.puppet import squats
from tests.scoring.test_service import follow, held
from tests.support.waiting import Eventually


async def test_a_reference_is_loaded_anew_only_when_it_has_a_new_version(
    redis_url: str, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scoring loaded and prepared its whole reference twice a second: most of its CPU, and stalls of 100 ms."""
    async with running(redis_url) as scoring:
        reference_id = await follow(scoring)
        await held(scoring, eventually, reference_id)
        calls: Counter[str] = Counter()

        def count(name: str) -> None:
            original = getattr(ReferenceStore, name)

            async def counted(self: ReferenceStore, *arguments: Any) -> Any:
                calls[name] += 1
                return await original(self, *arguments)

            monkeypatch.setattr(ReferenceStore, name, counted)

        count("get")
        count("active_version")
        await eventually(lambda: calls["active_version"] >= 2, what="two looks at the version")
        assert calls["get"] == 0

        await ReferenceStore(scoring.redis).add(build_template(squats(3), "squat"), "Squat", 2, reference_id)
        await held(scoring, eventually, f"{reference_id}/2")
        assert calls["get"] == 1
