"""Pictures: fast enough, exposed and noisy as asked, and looked at by whoever runs the tests."""

import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import gym
from gym import movement
from gym.contact_sheets import sheet
from gym.loop import LoopedCamera

# Frames of processor time: the machine may be busy with something else.
ATTEMPTS, FRAMES = 4, 25
YARDSTICK = np.random.default_rng(1).integers(0, 8, 200_000, dtype=np.uint8).tobytes()
YARDSTICK_S = 0.019
"""What `slowness` measured where the bars were set."""


def slowness() -> float:
    """How many times longer this core takes now for a work that has to do with nothing here; at least 1."""
    took_s = []
    for _ in range(3):
        begun = time.thread_time()
        zlib.compress(YARDSTICK, 6)
        took_s.append(time.thread_time() - begun)
    return max(1.0, min(took_s) / YARDSTICK_S)


def fastest(draw: Callable[[int], object]) -> float:
    """Frames a second that one core of the usual speed would draw, the best of a few attempts."""
    draw(0)
    rates = []
    for attempt in range(ATTEMPTS):
        begun = time.thread_time()
        for i in range(FRAMES):
            draw(attempt * FRAMES + i)
        rates.append(slowness() * FRAMES / (time.thread_time() - begun))
    return max(rates)


@pytest.mark.parametrize(("samples", "bar"), [(1, 40), (2, 25)])
def test_one_core_draws_640x480_fast_enough(samples: int, bar: float) -> None:
    camera = gym.open_address(f"gym:squat?view=45&supersample={samples}", now=0.0)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        rate = fastest(lambda i: camera.frame(i / 30))
    finally:
        cv2.setNumThreads(threads)
    assert rate >= bar, f"{rate:.0f} frames a second"


def test_a_loop_replays_100_frames_a_second_and_its_noise_does_not_repeat() -> None:
    camera = gym.open_address("gym:jumping_jack?reps=1&loop=1&fps=20", now=0.0)
    assert isinstance(camera, LoopedCamera)
    count = camera.prepare()
    assert count == round(camera.duration * 20)
    assert fastest(lambda i: camera.frame(i / 20)) >= 100
    once, again = camera.frame(0.3), camera.frame(0.3 + camera.duration)
    assert not np.array_equal(once, again)
    assert np.abs(cv2.blur(once, (9, 9)).astype(int) - cv2.blur(again, (9, 9))).max() < 6


def test_a_loop_shows_what_the_camera_itself_would() -> None:
    live = gym.open_address("gym:squat?reps=1&fps=10&noise=0&size=320x240&variation=0", now=0.0)
    loop = gym.open_address("gym:squat?reps=1&fps=10&noise=0&size=320x240&variation=0&loop=1", now=0.0)
    t = 1.25
    difference = np.abs(live.frame(t).astype(int) - loop.frame(t))
    assert difference.mean() < 1.5


def test_exposure_noise_and_light_do_what_they_say() -> None:
    def mean(query: str) -> float:
        return float(gym.open_address(f"gym:idle?size=160x120&{query}", now=0.0).frame(1.0).mean())

    normal = mean("noise=0")
    assert mean("noise=0&exposure=-1") == pytest.approx(normal / 2, rel=0.05)
    assert mean("noise=0&light=dim") < 0.6 * normal
    camera = gym.open_address("gym:idle?size=160x120&noise=5&exposure=-1&variation=0", now=0.0)
    frames = np.array([camera.frame(1.0, number=n) for n in range(40)], dtype=float)
    assert np.median(frames.std(axis=0)) == pytest.approx(5, rel=0.15)


def test_people_differ() -> None:
    pictures = [
        gym.open_address(f"gym:idle?person={n}&size=160x120&noise=0&seed=1", now=0.0).frame(0.5)
        for n in range(1, 7)
    ]
    for i, a in enumerate(pictures):
        for b in pictures[i + 1 :]:
            assert (a != b).any(axis=2).sum() > 200


def test_contact_sheets_of_every_movement_and_fault_are_written_to_be_looked_at(tmp_path: Path) -> None:
    folder = Path(os.environ.get("KOMI_TEST_ARTEFACTS", tmp_path)) / "gym"
    folder.mkdir(parents=True, exist_ok=True)
    for name in movement.names():
        picture = sheet(name, height=90)
        rows = 1 + len(movement.load(name).faults)
        assert picture.shape[0] == rows * 90
        # Nine pictures a row; those of a moving person differ.
        cells = np.split(picture, 9, axis=1)
        assert (cells[0] != cells[2]).any()
        cv2.imwrite(str(folder / f"{name}.jpg"), picture[..., ::-1])
    assert len(list(folder.glob("*.jpg"))) == len(movement.names())


def test_kernels_compile_where_no_cache_can_be_written(tmp_path: Path) -> None:
    """Numba raises `cannot cache function` on a read-only file system unless it is told otherwise."""
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("", encoding="utf-8")
    code = (
        "from gym.render.jit import kernel\n"
        "from gym.render import jit\n"
        "assert not jit._CACHED\n"
        "import numpy as np\n"
        "from gym.mesh import Mesh\n"
        "print(kernel(lambda x: x + 1)(2))\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(blocked)}
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        env=environment,
        timeout=110,
        text=True,
    )
    assert out.stdout.strip() == "3", out.stderr
