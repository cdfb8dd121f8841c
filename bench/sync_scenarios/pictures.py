"""P: the gym's pictures through the real pose model: cameras with their own offset, drift and jitter against a rig
without any clock error.

What the model makes of a picture is kept in KOMI's cache, by the gym's files and what is asked of it: minutes the first time,
seconds afterwards. Virtual time; the clocks are measured over Wi-Fi.
"""

import hashlib
import os
import random
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import gym
from bench.sync_scenarios.clocks import LINKS, UNIX_NS, Host
from bench.sync_scenarios.report import Row
from services.mesh.clock import probe_delays
from services.mesh.stamps import StampSmoother
from services.pose.blazepose.model import BlazePose
from services.pose.models.store import task_path
from services.sync.content import BODY, Track2D, speed_lags
from services.sync.frames import Frame
from services.sync.groups import MatchRules
from services.sync.resample import LANDMARKS, VALUES, Sample
from services.sync.ticks import TickMatcher

PERSON = "gym:squat?tempo=1,0.3,0.8,0.4&seed=4"
CAMERAS = {
    "front": "offset=2300&drift=80&stamp_jitter=3&jitter=0.5&phase=0.2",
    "three-quarter": "offset=-4100&drift=-60&stamp_jitter=3&jitter=0.5&phase=0.5",
    "side": "offset=700&drift=30&stamp_jitter=3&jitter=0.5&phase=0.8",
}
MODEL = "lite"
WARM_S, SECONDS = 20.0, 10.0
"""The clocks are measured for so long before the first picture; so long the pictures go on."""
BOOTED_S = 1000
"""The cameras' computers were booted so long before."""
LOOK_S = 6.0
"""The content check looks at so much at once."""
SURE = 0.5
"""Landmarks that the model takes for hidden are not judged."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """What the model found in one camera's frames: true times (n,) seconds, pixels (n, 33, 2), visibility (n, 33); NaN
    where nobody was found.
    """

    true_s: Array
    pixels: Array
    visibility: Array


async def person(seeds: list[int]) -> list[Row]:
    """Offsets against what they state; resampled landmarks against those of cameras in step with the tick."""
    name = "virtual gym through MediaPipe, 3 cameras with clocks of their own"
    covered: list[float] = []
    resampled: list[float] = []
    newest: list[float] = []
    cameras = {
        view: gym.open_address(f"{PERSON}&view={view}&{clock}", now=0.0) for view, clock in CAMERAS.items()
    }
    perfect = {view: gym.open_address(f"{PERSON}&view={view}&phase=0", now=0.0) for view in CAMERAS}
    for seed in seeds:
        share, error_px, newest_px = _rig(cameras, random.Random(seed))
        covered.append(share)
        resampled.append(error_px)
        newest.append(newest_px)
    in_step = float(np.mean([_in_step(view, camera) for view, camera in perfect.items()]))
    return [
        Row("P", name, "offset within its stated uncertainty", min(covered), 0.99),
        Row("P", name, "landmarks of cameras in step, mean error, px", in_step, None),
        Row("P", name, "resampled landmarks, mean error, px", max(resampled), None,
            baselines={"newest frame": max(newest)}),
        *_content(name, cameras),
        Row("P", name, "resampled worse than in step, share", max(resampled) / in_step - 1, 0.05, at_least=False,
            baselines={"newest frame": max(newest) / in_step - 1}),
    ]  # fmt: skip


def _content(name: str, cameras: dict[str, gym.VirtualCamera]) -> list[Row]:
    """The content check without a calibration: nobody is blamed in time, and whoever is late is found."""
    seen = {view: look(view, camera) for view, camera in cameras.items()}

    def alarms(late: str, late_us: int, first_s: float) -> set[str]:
        tracks = {}
        for view, found in seen.items():
            rows = (found.true_s >= first_s) & (found.true_s < first_s + LOOK_S)
            times_us = np.round(found.true_s[rows] * 1e6).astype(np.int64) + (late_us if view == late else 0)
            body = list(BODY)
            height = cameras[view].size[1]
            tracks[view] = Track2D(
                times_us, found.pixels[rows][:, body] / height, found.visibility[rows][:, body]
            )
        return {view for view, lag in speed_lags(tracks).items() if lag.alarm}

    looks = [WARM_S + n for n in range(round(SECONDS - LOOK_S) + 1)]
    blamed = sum(bool(alarms("", 0, first_s)) for first_s in looks)
    found = [
        alarms(view, late_us, first_s) == {view}
        for view in cameras
        for late_us in (-60_000, -45_000, 45_000, 60_000)
        for first_s in looks
    ]
    return [
        Row("P", name, "no calibration: looks that blame a camera in time", blamed, 0, at_least=False),
        Row("P", name, "no calibration: looks that find the late one, share", sum(found) / len(found), None),
    ]


def _in_step(view: str, camera: gym.VirtualCamera) -> float:
    seen = look(view, camera)
    return float(
        np.nanmean(
            [
                _misses(camera, at_s, pixels, visibility)
                for at_s, pixels, visibility in zip(seen.true_s, seen.pixels, seen.visibility, strict=True)
            ]
        )
    )


def _rig(cameras: dict[str, gym.VirtualCamera], rng: random.Random) -> tuple[float, float, float]:
    """Share of frames whose offset was within its stated uncertainty, and the mean error on the ticks, pixels: of the
    resampled landmarks, and of each camera's newest frame taken as it is.
    """
    frames: list[Frame] = []
    samples: dict[str, Sample | None] = {}
    covered: list[bool] = []
    for view, camera in cameras.items():
        host, smoother, probes, probe_s = _GymHost(rng, camera), StampSmoother(), probe_delays(), 0.0
        seen = look(view, camera)
        for row, true_s in enumerate(seen.true_s):
            while probe_s < true_s:
                probe_s += next(probes)
                host.probe(probe_s)
            error_ms, stated_ms = host.error_ms(float(true_s))
            covered.append(abs(error_ms) <= stated_ms)
            due = camera.schedule.frame(camera.schedule.first_after(WARM_S) + row)
            stamp_ns = smoother.add(row, round((BOOTED_S + due.stamp) * 1e9))
            time_us = round(host.estimator.map(stamp_ns)[0] - UNIX_NS / 1000)
            frame = Frame(time_us, view, 0, row, round((true_s + 0.03 + rng.expovariate(250)) * 1e6))
            frames.append(frame)
            values = np.zeros((LANDMARKS, VALUES))
            values[:, :2] = seen.pixels[row]
            confidence = np.repeat(seen.visibility[row][:, None], 2, axis=1)
            lost = bool(np.isnan(seen.pixels[row]).any())
            samples[frame.member] = None if lost else Sample(time_us, values, confidence)
    matcher = TickMatcher(MatchRules(), lambda frames: [samples[frame.member] for frame in frames])
    misses: list[float] = []
    of_newest: list[float] = []
    newest: dict[str, Frame] = {}
    for frame in sorted(frames, key=lambda f: f.arrival_us):
        newest[frame.camera_id] = frame
        matcher.add(frame)
        for group in matcher.poll(frame.arrival_us):
            for member, sample in group.resampled or ():
                camera, at_s = cameras[member.camera_id], group.time_us / 1e6
                for found, of in ((sample, misses), (samples[newest[member.camera_id].member], of_newest)):
                    if found is not None:
                        of.append(_misses(camera, at_s, found.values[:, :2], found.confidence[:, 0]))
    return sum(covered) / len(covered), float(np.nanmean(misses)), float(np.nanmean(of_newest))


class _GymHost(Host):
    """The computer of a gym camera: it has the camera's clock."""

    def __init__(self, rng: random.Random, camera: gym.VirtualCamera) -> None:
        super().__init__(rng, *LINKS["Wi-Fi"], 0.0, 0.0)
        self.camera = camera

    def local_ns(self, true_s: float) -> int:
        return round((BOOTED_S + self.camera.schedule.stamp(true_s)) * 1e9)


def _misses(camera: gym.VirtualCamera, at_s: float, pixels: Array, visibility: Array) -> float:
    """Mean distance of the landmarks from where they truly are in the picture, pixels."""
    truth = camera.seen(at_s)
    sure = visibility >= SURE
    if truth is None or not sure.any():
        return float("nan")
    return float(np.mean(np.linalg.norm(pixels - truth.pixels, axis=1)[sure]))


def look(view: str, camera: gym.VirtualCamera) -> Seen:
    """What the model finds in the camera's frames."""
    path = _folder() / f"{view}-{camera.schedule.phase:g}.npz"
    if not path.is_file():
        first = camera.schedule.first_after(WARM_S)
        due = [camera.schedule.frame(first + n) for n in range(round(SECONDS * camera.fps))]
        pixels = np.full((len(due), LANDMARKS, 2), np.nan)
        visibility = np.zeros((len(due), LANDMARKS))
        tracker = BlazePose(task_path(MODEL)).tracker()
        for row, frame in enumerate(due):
            picture = camera.frame(frame.true_time, number=frame.number)
            found = tracker.track(picture, round(frame.true_time * 1e6)).person
            if found is not None:
                pixels[row], visibility[row] = found.image_px, found.visibility
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as part:
            np.savez_compressed(
                part, true_s=[frame.true_time for frame in due], pixels=pixels, visibility=visibility
            )
        Path(part.name).replace(path)
    with np.load(path) as kept:
        return Seen(kept["true_s"], kept["pixels"], kept["visibility"])


@cache
def _folder() -> Path:
    """Changes with the gym and with what is asked of it, so that nothing is taken from a gym that is no more."""
    root = os.environ.get("KOMI_CACHE_DIR")
    digest = hashlib.sha256(repr(("blazepose", PERSON, CAMERAS, MODEL, WARM_S, SECONDS)).encode())
    for path in sorted(Path(gym.__file__).parent.rglob("*")):
        if path.suffix in (".py", ".yaml", ".npz"):
            digest.update(path.read_bytes())
    folder = Path(root) if root else Path.home() / ".cache" / "komi"
    return folder / "gym-landmarks" / f"sync-{digest.hexdigest()[:12]}"
