"""Landmarks at an instant: exact where motion is smooth, honest where it cannot be known."""

import math
import random
import zlib

import numpy as np
import pytest

from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.times import from_timestamp
from services.sync.frames import Frame
from services.sync.groups import Group, MatchRules, Missing
from services.sync.resample import LANDMARKS, VALUES, Sample, interpolate
from services.sync.ticks import TickMatcher
from tests.sync.conftest import PATIENT, Start
from tests.sync.rig import make_pose, pace
from tests.sync.test_matcher import START_US, run

PERIOD_US = 33_333
SPEED_M_S = 2.2
RATE = 2 * math.pi * 1.1


def place(at_us: float) -> float:
    """A joint that swings with a peak speed of 2.2 m/s, metres."""
    return SPEED_M_S / RATE * math.sin(RATE * at_us / 1e6)


def sample(at_us: int, *, visibility: float = 1.0) -> Sample:
    return Sample(
        at_us, np.full((LANDMARKS, VALUES), place(at_us - START_US)), np.full((LANDMARKS, 2), visibility)
    )


def swing(
    camera: str, fps: float, seconds: float, *, phase_us: int = 0, delay_us: int = 30_000
) -> list[Frame]:
    times = [START_US + phase_us + round(n * 1e6 / fps) for n in range(round(seconds * fps))]
    return [Frame(at, camera, 0, n, at + delay_us, sample(at)) for n, at in enumerate(times)]


def ticking(cameras: tuple[str, ...] = ()) -> TickMatcher:
    return TickMatcher(MatchRules(), lambda frames: [frame.payload for frame in frames], cameras)


def errors_mm(groups: list[Group]) -> list[float]:
    return [
        abs(found.values[0, 0] - place(group.time_us - START_US)) * 1000
        for group in groups
        for _, found in group.resampled or ()
        if found is not None
    ]


def test_a_cubic_needs_four_samples_and_is_exact_to_a_tenth_of_a_millimetre() -> None:
    samples = [sample(START_US + n * PERIOD_US) for n in range(6)]
    at = START_US + round(2.5 * PERIOD_US)
    whole = interpolate(samples, at, 2 * PERIOD_US)
    two = interpolate(samples[2:4], at, 2 * PERIOD_US)
    assert whole is not None
    assert two is not None
    truth = place(at - START_US)
    assert abs(whole.values[0, 0] - truth) < 1e-4
    assert abs(two.values[0, 0] - truth) < 3e-3
    assert abs(whole.values[0, 0] - truth) < abs(two.values[0, 0] - truth)


def test_nothing_is_extrapolated_and_no_wide_gap_bridged() -> None:
    samples = [sample(START_US + n * PERIOD_US) for n in (0, 1, 4, 5)]
    assert interpolate(samples, START_US - 1, 2 * PERIOD_US) is None
    assert interpolate(samples, START_US + 5 * PERIOD_US + 1, 2 * PERIOD_US) is None
    assert interpolate(samples, START_US + 2 * PERIOD_US, 2 * PERIOD_US) is None
    assert interpolate(samples, START_US + 4 * PERIOD_US, 2 * PERIOD_US) is samples[2]


def test_an_unsure_outer_sample_does_not_bend_the_curve() -> None:
    samples = [sample(START_US + n * PERIOD_US) for n in range(4)]
    samples[0] = Sample(samples[0].time_us, samples[0].values + 100, np.full((LANDMARKS, 2), 0.1))
    found = interpolate(samples, START_US + round(1.5 * PERIOD_US), 2 * PERIOD_US)
    assert found is not None
    assert abs(found.values[0, 0] - place(1.5 * PERIOD_US)) < 3e-3


@pytest.mark.parametrize(("a", "b"), [(30, 24), (29.97, 30), (60, 30)])
def test_cameras_of_different_rates_meet_on_one_tick(a: float, b: float) -> None:
    out = run(
        ticking(), [*swing("a", a, 6), *swing("b", b, 6, phase_us=7000), *swing("c", b, 6, phase_us=19_000)]
    )
    groups = [group for _, group in out if group.there][10:]
    assert len(groups) >= max(a, b) * 6 - 20
    assert np.median(np.diff([g.time_us for g in groups])) == pytest.approx(1e6 / max(a, b), rel=0.01)
    assert sum(len(g.there) == 3 for g in groups) >= 0.97 * len(groups)
    assert max(errors_mm(groups)) <= 1.0


def test_a_turn_that_was_not_committed_leaves_nothing_behind() -> None:
    """Its frames stood twice among those used up, and interpolating divided by zero: their times were the same."""
    frames = sorted([*swing("a", 30, 2), *swing("b", 30, 2, phase_us=9000)])
    matcher, undisturbed = ticking(), ticking()
    half = len(frames) // 2
    committed_us = frames[half - 8].time_us
    for frame in frames[:half]:
        matcher.add(frame)
        undisturbed.add(frame)
    matcher.poll(START_US + 10_000_000)
    undisturbed.poll(START_US + 10_000_000)
    assert matcher.watermark_us > committed_us
    matcher.restore(
        committed_us, [f for f in frames[:half] if f.time_us > committed_us], START_US + 10_000_000
    )
    for frame in frames[half:]:
        matcher.add(frame)
        undisturbed.add(frame)
    found = [g for g in matcher.poll(START_US + 20_000_000) if g.time_us > frames[half].time_us]
    assert found
    assert max(errors_mm(found)) <= max(errors_mm(undisturbed.poll(START_US + 20_000_000))) + 0.1


def test_a_tick_costs_about_one_frame() -> None:
    frames = [f for k in range(4) for f in swing(f"c{k}", 30, 6, phase_us=8000 * k)]
    out = [(now_us, g) for now_us, g in run(ticking(), frames) if g.there][10:-5]
    waits = [now_us - g.time_us - 30_000 for now_us, g in out]
    assert max(waits) <= 1.2 * PERIOD_US


def test_a_dead_camera_leaves_the_ticks_and_is_said_to_be_late_then_idle() -> None:
    frames = swing("a", 30, 4) + swing("b", 30, 4, phase_us=5000) + swing("c", 30, 2, phase_us=9000)
    out = [(now_us, g) for now_us, g in run(ticking(), frames) if g.there]
    gaps = np.diff([now_us for now_us, _ in out])
    assert gaps.max() <= 300_000
    after = [g.missing for _, g in out if g.time_us > START_US + 2_000_000]
    assert after[0] == {"c": Missing.LATE}
    assert after[-1] == {"c": Missing.IDLE}


def test_lost_frames_are_bridged_one_at_a_time() -> None:
    rng = random.Random(3)
    frames = [
        f
        for k in range(3)
        for f in swing(f"c{k}", 30, 20, phase_us=9000 * k)
        if f.sequence < 20 or rng.random() > 0.02
    ]
    groups = [g for _, g in run(ticking(), frames) if g.there]
    assert sum(len(g.there) == 3 for g in groups) >= 0.97 * len(groups)
    assert max(errors_mm(groups)) <= 3.0


async def test_sessions_of_three_cameras_are_resampled(start: Start) -> None:
    replica = await start(**PATIENT, keep_bytes=10_000_000)

    async def ticked() -> list[pb.SyncedSet]:
        return [s for s in await replica.sets() if s.kind == pb.SET_KIND_RESAMPLED]

    mask = pose_pb2.SegmentationMask(width=8, height=1, bits_zlib=zlib.compress(b"x"))
    async with replica.ingest() as stream:
        begin = await replica.now_us() + 20_000
        async for n, due in pace(begin, PERIOD_US, replica):
            for k, camera in enumerate(("back", "front", "side")):
                pose = make_pose(camera, n, due + 6000 * k)
                at = due + 6000 * k - begin
                pose.pose.world_m[:] = [place(at)] * 99
                pose.mask.CopyFrom(mask)
                await stream.send(pose)
            # How many cameras a session has is seen once a second: the first sets are grouped.
            if n >= 90 and len([s for s in await ticked() if len(s.members) == 3]) >= 40:
                break
            assert n < 900, "ticks"
        await stream.finish()
    sets = await ticked()
    whole = [s for s in sets if len(s.members) == 3]
    assert len(whole) >= 40
    everything = await replica.sets()
    assert [s.sequence for s in everything] == list(range(1, len(everything) + 1))
    for synced in whole[5:]:
        at = from_timestamp(synced.server_time)
        for member in synced.members:
            assert from_timestamp(member.time.server_time) == at
            assert abs(member.pose.world_m[0] - place(at - begin)) < 1e-3
            assert len(member.pose.image_px) == 66
            assert member.pose.visibility[0] == pytest.approx(0.9)
            assert member.mask == mask, "a silhouette goes with the frame nearest to the tick"
