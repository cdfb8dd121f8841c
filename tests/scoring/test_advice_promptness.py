"""A cue comes within 300 ms of the repetition's end."""

from itertools import pairwise

import pytest

from services.mesh.times import from_timestamp
from services.scoring.live.outcome import Outcome
from services.scoring.live.session import SessionScorer
from services.scoring.reference.building import build_template
from tests.scoring.mesh import START_US, publish, running
from tests.scoring.puppet import sets, squat, squats, waves
from tests.scoring.test_service import follow, held
from tests.support.waiting import Eventually

TO_KNOW_S = 0.25
"""By the sets' own clock; what is left of 300 ms is for the service, which takes milliseconds (`komi_scoring_stage_seconds`)."""


def poor(fps: float, rest_s: float = 1.0) -> list[Outcome]:
    """Of poor squats, each frame's outcome."""
    times, depths = waves(4, fps=fps, rest_s=rest_s)
    scorer = SessionScorer(build_template(squats(2), "squat"))
    return [scorer.feed(one) for one in sets([squat(0.5 * d, 3.0) for d in depths], times)]


@pytest.mark.parametrize("fps", [15.0, 30.0])
@pytest.mark.parametrize("rest_s", [0.3, 1.0])
def test_a_repetition_is_known_and_told_of_at_once_when_it_ends(fps: float, rest_s: float) -> None:
    outcomes = poor(fps, rest_s)
    ends = [one for one in outcomes if one.completed is not None]
    assert len(ends) >= 3
    for one in ends:
        assert one.completed is not None
        assert one.time_s - one.completed.end_s <= TO_KNOW_S
        assert one.completed.cue is not None
        assert one.advice == one.completed.cue  # on the very set that completes it


async def test_the_update_that_completes_a_repetition_carries_its_cue_out_of_the_service(
    redis_url: str, eventually: Eventually
) -> None:
    """Sets are put in one at a time, as sync does: nothing may wait for the next one."""
    times, depths = waves(2)
    seen = sets([squat(0.5 * d, 3.0) for d in depths], times)
    async with running(redis_url) as scoring:
        await held(scoring, eventually, await follow(scoring))
        for number, synced in enumerate(seen, 1):
            await publish(scoring.redis, [synced], first=number)

            async def scored(wanted: int = number) -> bool:
                return await scoring.scored() >= wanted

            await eventually(scored, what=f"set {number} scored before the next is there")
        updates = await scoring.updates()
        done = [one for one in updates if one.HasField("completed")]
        assert len(done) == 2
        for one in done:
            late_us = from_timestamp(one.server_time) - from_timestamp(one.completed.end_time)
            assert late_us <= TO_KNOW_S * 1e6
            assert one.advice == one.completed.cue
        told = [from_timestamp(one.server_time) - START_US for one in updates]
        assert all(before < after for before, after in pairwise(told))
