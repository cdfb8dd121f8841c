"""A camera's own clock, and cameras that agree on the person and not on the time."""

import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gym
from gym.clock import CameraClock
from tests.gym.conftest import HandClock


@given(
    fps=st.floats(1, 120),
    offset=st.floats(-5, 5),
    drift=st.floats(-200, 200),
    epoch=st.sampled_from([0.0, 1_700_000_000.0]),
    number=st.integers(0, 10**6),
)
def test_offset_and_drift_are_as_asked(
    fps: float, offset: float, drift: float, epoch: float, number: int
) -> None:
    clock = CameraClock(fps=fps, offset=offset, drift_ppm=drift, epoch=epoch)
    frame = clock.frame(number)
    elapsed = frame.true_time - epoch
    assert frame.stamp - frame.true_time == pytest.approx(offset + elapsed * drift * 1e-6, abs=2e-6)
    # By its own clock the camera keeps its rate exactly.
    assert elapsed * (1 + drift * 1e-6) == pytest.approx(number / fps, rel=1e-9, abs=2e-6)


@given(jitter=st.floats(0.001, 0.02), name=st.text(max_size=5), start=st.integers(-1000, 10**6))
def test_frames_stay_in_order_whatever_the_jitter(jitter: float, name: str, start: int) -> None:
    clock = CameraClock(fps=30, jitter=jitter, name=name)
    times = [clock.frame(start + i).true_time for i in range(40)]
    assert all(a < b for a, b in pairwise(times))


def test_jitter_and_drops_have_the_size_asked() -> None:
    clock = CameraClock(fps=30, jitter=0.002, stamp_jitter=0.001, drop=0.1, seed=3)
    frames = [clock.frame(i) for i in range(4000)]
    regular = np.array([i / 30 for i in range(4000)])
    assert np.std([f.true_time for f in frames] - regular) == pytest.approx(0.002, rel=0.1)
    assert np.std([f.stamp - f.true_time for f in frames]) == pytest.approx(0.001, rel=0.1)
    assert np.mean([f.dropped for f in frames]) == pytest.approx(0.1, abs=0.02)
    assert frames[7] == clock.frame(7)


def test_the_first_frame_after_a_time_is_the_first() -> None:
    clock = CameraClock(fps=30, phase=0.4, epoch=100.0)
    number = clock.first_after(123.456)
    assert clock.frame(number - 1).true_time < 123.456 <= clock.frame(number).true_time


def test_a_live_camera_waits_for_its_frames_and_skips_what_it_is_late_for(hand_clock: HandClock) -> None:
    camera = gym.open_address("gym:idle?fps=30&size=64x48&phase=0&seed=2", now=hand_clock.now)
    shots = camera.shots(hand_clock)
    first, second = next(shots), next(shots)
    assert second.number == first.number + 1
    assert second.true_time == pytest.approx(hand_clock.now)
    hand_clock.now += 0.5
    late = next(shots)
    assert late.true_time >= hand_clock.now - 0.5 / 30
    assert late.missed == pytest.approx(15, abs=1)


def test_dropped_frames_are_counted_and_never_come(hand_clock: HandClock) -> None:
    camera = gym.open_address("gym:idle?fps=30&size=64x48&drop=0.3", now=hand_clock.now)
    shots = camera.shots(hand_clock)
    taken = [next(shots) for _ in range(30)]
    for a, b in pairwise(taken):
        assert b.number - a.number == b.missed + 1
    assert sum(shot.missed for shot in taken) > 3


def test_a_camera_that_plays_once_ends(hand_clock: HandClock) -> None:
    camera = gym.open_address(
        "gym:idle?reps=1&tempo=0.2,0,0.2,0.1&once=1&fps=10&size=64x48&phase=0&epoch=1000"
    )
    shots = list(camera.shots(hand_clock))
    assert [shot.number for shot in shots] == [0, 1, 2, 3, 4]


def test_opened_without_an_epoch_the_drift_begins_at_the_opening() -> None:
    camera = gym.open_address("gym:squat?drift=50&offset=10", now=1.8e9)
    assert camera.schedule.stamp(1.8e9) - 1.8e9 == pytest.approx(0.010, abs=1e-6)
    with_epoch = gym.open_address("gym:squat?drift=50&epoch=1799999000", now=1.8e9)
    assert with_epoch.schedule.stamp(1.8e9) - 1.8e9 == pytest.approx(0.050, abs=1e-6)


OTHER_PROCESS = """
import hashlib, json, sys
import gym
camera = gym.open_address(sys.argv[1], now=5.0)
picture = camera.frame(3.25)
print(json.dumps({"sha": hashlib.sha256(picture.tobytes()).hexdigest(),
                  "landmarks": camera.truth(3.25).landmarks.tolist(),
                  "frame": camera.schedule.frame(97).true_time}))
"""


def test_the_same_seed_gives_the_same_pixels_in_another_process_and_other_views_the_same_person() -> None:
    import hashlib

    address = "gym:squat?view={}&seed=7&person=6&jitter=2&offset={}&size=320x240&epoch=0"
    here = gym.open_address(address.format("front", 0), now=5.0)
    command = [sys.executable, "-c", OTHER_PROCESS]
    out = subprocess.run([*command, address.format("front", 0)], capture_output=True, check=True, timeout=110)
    there = json.loads(out.stdout)
    picture = here.frame(3.25)
    assert there["sha"] == hashlib.sha256(picture.tobytes()).hexdigest()
    assert there["frame"] == here.schedule.frame(97).true_time
    side = gym.open_address(address.format("side", 55), now=5.0)
    landmarks = side.truth(3.25).landmarks
    assert landmarks is not None
    assert np.array_equal(np.array(there["landmarks"]), landmarks)
    assert side.schedule.frame(97).true_time != here.schedule.frame(97).true_time
    assert not np.array_equal(side.frame(3.25), picture)


def test_another_seed_gives_other_pixels_and_noise_never_repeats() -> None:
    a, b = (gym.open_address(f"gym:squat?seed={seed}&size=160x120", now=0.0) for seed in (1, 2))
    assert not np.array_equal(a.frame(2.0), b.frame(2.0))
    assert not np.array_equal(a.frame(2.0, number=1), a.frame(2.0, number=2))
    assert np.array_equal(a.frame(2.0, number=1), a.frame(2.0, number=1))
