"""G: the virtual gym's person before cameras with their own offset, drift and jitter, against a perfect rig.

Landmarks are the gym's truth plus noise, not a model's: what is judged is time. Virtual time, clocks over Wi-Fi.
"""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import gym
from bench.sync_scenarios.clocks import LINKS, UNIX_NS, Host
from bench.sync_scenarios.report import Row
from bench.sync_scenarios.scoring import quantile
from services.mesh.clock import probe_delays
from services.mesh.stamps import StampSmoother
from services.sync.frames import Frame
from services.sync.groups import MatchRules
from services.sync.resample import LANDMARKS, VALUES, Sample
from services.sync.ticks import TickMatcher

CAMERAS, FPS, SECONDS, WARM_S = 3, 30, 24.0, 6.0
JITTER_MS, NOISE_M = 3.0, 0.01
RATE_HZ = 100
Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Seen:
    true_s: float
    arrival_us: int
    frame: Frame
    noise: Array


class _Body:
    """Where the landmarks truly are, (33, 3) metres, at any instant of the trace."""

    def __init__(self) -> None:
        camera = gym.open_address("gym:squat?view=front&tempo=1,0.3,0.8,0.4", now=0.0)
        self._places = np.array(
            [camera.truth(n / RATE_HZ).landmarks for n in range(round(SECONDS * RATE_HZ) + 2)]
        )

    def __call__(self, true_s: float) -> Array:
        before = min(len(self._places) - 2, int(true_s * RATE_HZ))
        share = true_s * RATE_HZ - before
        place: Array = self._places[before] * (1 - share) + self._places[before + 1] * share
        return place


async def person(seeds: list[int]) -> list[Row]:
    """Offsets against what they state; resampled landmarks against those of a rig without any clock error."""
    name, body = "virtual gym, 3 cameras with clocks of their own", _Body()
    covered, stamps, worse, timing = [], [], [], []
    for seed in seeds:
        rng = random.Random(seed)
        traces = [_camera(rng, f"cam{n}") for n in range(CAMERAS)]
        covered.append(min(share for _, share in traces))
        shots = [shot for trace, _ in traces for shot in trace]
        stamps.append(
            quantile([abs(s.frame.time_us / 1e6 - s.true_s) for s in shots if s.true_s > WARM_S], 0.99)
        )
        perfect = np.sqrt(np.mean([np.sum(np.mean([t[n].noise for t, _ in traces], axis=0) ** 2, axis=-1)
                                   for n in range(len(traces[0][0]))]))  # fmt: skip
        worse.append(_resampled_m(shots, body, noisy=True) / float(perfect) - 1)
        timing.append(_resampled_m(shots, body, noisy=False))
    return [
        Row("G", name, "offset within its stated uncertainty", min(covered), 0.99),
        Row("G", name, "error of a frame's time p99, ms", max(stamps) * 1e3, None),
        Row(
            "G", name, "resampled landmarks worse than a perfect rig, share", max(worse), 0.05, at_least=False
        ),
        Row("G", name, "error of time and resampling alone, RMS, mm", max(timing) * 1e3, None),
    ]


def _camera(rng: random.Random, name: str) -> tuple[list[_Seen], float]:
    """What one camera sent, and the share of its frames whose offset was within the stated uncertainty."""
    host = Host(rng, *LINKS["Wi-Fi"], rng.uniform(-5, 5), rng.uniform(-100e-6, 100e-6))
    smoother, noises = StampSmoother(), np.random.default_rng(rng.randrange(2**32))
    phase_s, probes, probe_s = rng.uniform(0, 1 / FPS), probe_delays(), 0.0
    shots: list[_Seen] = []
    covered = []
    arrival_us = 0
    for n in range(round((SECONDS - 2) * FPS)):
        true_s = 1.0 + phase_s + n / FPS
        while probe_s < true_s:
            probe_s += next(probes)
            host.probe(probe_s)
        error_ms, stated_ms = host.error_ms(true_s)
        covered.append(abs(error_ms) <= stated_ms)
        stamp_ns = smoother.add(n, host.local_ns(true_s) + round(rng.gauss(0, JITTER_MS * 1e6)))
        time_us = round(host.estimator.map(stamp_ns)[0] - UNIX_NS / 1000)
        arrival_us = max(arrival_us, round((true_s + 0.03 + rng.expovariate(250)) * 1e6))
        noise = noises.normal(0, NOISE_M, (LANDMARKS, 3))
        shots.append(_Seen(true_s, arrival_us, Frame(time_us, name, 0, n, arrival_us), noise))
    return shots, sum(covered) / len(covered)


def _resampled_m(shots: list[_Seen], body: _Body, *, noisy: bool) -> float:
    """RMS distance of the views' mean landmarks from the truth at the tick, metres."""
    seen = {shot.frame.member: shot for shot in shots}

    def decode(frame: Frame) -> Sample:
        shot, values = seen[frame.member], np.zeros((LANDMARKS, VALUES))
        values[:, 5:8] = body(shot.true_s) + (shot.noise if noisy else 0)
        return Sample(frame.time_us, values, np.ones((LANDMARKS, 2)))

    matcher, squared = TickMatcher(MatchRules(), lambda frames: [decode(frame) for frame in frames]), []
    for shot in sorted(shots, key=lambda s: s.arrival_us):
        matcher.add(shot.frame)
        for group in matcher.poll(shot.arrival_us):
            views = [sample.values[:, 5:8] for _, sample in group.resampled or () if sample is not None]
            if len(views) == CAMERAS and group.time_us > WARM_S * 1e6:
                misses = np.mean(views, axis=0) - body(group.time_us / 1e6)
                squared.append(np.sum(misses**2, axis=-1))
    return float(np.sqrt(np.mean(squared)))
