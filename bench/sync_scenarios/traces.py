"""Simulated cameras: what was captured when, what stamp it got, and when it reaches sync.

All times are seconds or microseconds since the start of the scenario on the true clock.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.mesh.stamps import StampSmoother


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame on its way to sync."""

    camera_id: str
    epoch: int
    sequence: int
    tick: int
    """Number of the instant it shows; frames of one tick belong together."""
    true_us: int
    """When the shutter opened."""
    stamp_us: int
    """What its stamp says."""
    arrival_us: int
    """When it reaches sync."""


Delay = Callable[[random.Random], float]
"""Seconds from the shutter to sync."""


def steady(base_ms: float = 30, jitter_ms: float = 4) -> Delay:
    """A base and an exponential tail."""
    return lambda rng: (base_ms + rng.expovariate(1 / jitter_ms)) / 1000


def spiky(base_ms: float, jitter_ms: float, share: float, spike_ms: float) -> Delay:
    """`steady`, and for a share of the frames up to `spike_ms` more: parallel workers overtake each other."""

    def delay(rng: random.Random) -> float:
        spike = rng.uniform(0, spike_ms) if rng.random() < share else 0.0
        return (base_ms + min(rng.expovariate(1 / jitter_ms), 5 * jitter_ms) + spike) / 1000

    return delay


def in_order(shots: Iterable[Shot]) -> list[Shot]:
    """The same shots where none of a camera overtakes another: a stream keeps its order."""
    latest: dict[str, int] = {}
    kept = []
    for shot in sorted(shots, key=lambda s: (s.camera_id, s.true_us)):
        arrival_us = max(shot.arrival_us, latest.get(shot.camera_id, 0))
        latest[shot.camera_id] = arrival_us
        kept.append(
            Shot(
                shot.camera_id, shot.epoch, shot.sequence, shot.tick, shot.true_us, shot.stamp_us, arrival_us
            )
        )
    return sorted(kept, key=lambda s: s.arrival_us)


def shoot(
    rng: random.Random,
    camera_id: str,
    *,
    seconds: float,
    fps: float = 30.0,
    phase_ms: float = 0.0,
    jitter_ms: float = 0.0,
    smooth: bool = False,
    delay: Delay | None = None,
    lost: Callable[[int], bool] = lambda _n: False,
    first: int = 0,
    epoch: int = 0,
) -> list[Shot]:
    """Frames of one camera. `jitter_ms`: deviation of its stamps; `smooth`: de-jittered as capture does."""
    delay, smoother, shots = delay or steady(), StampSmoother(), []
    for n in range(first, round(seconds * fps)):
        true_us = round(n * 1e6 / fps + phase_ms * 1000)
        stamp_us = true_us + round(rng.gauss(0, jitter_ms * 1000))
        if smooth:
            stamp_us = smoother.add(n, stamp_us * 1000) // 1000
        arrival_us = true_us + round(delay(rng) * 1e6)
        if not lost(n):
            shots.append(Shot(camera_id, epoch, n - first, n, true_us, stamp_us, arrival_us))
    return shots


def bursty_loss(
    rng: random.Random, count: int, share: float, burst: int, bursts: int
) -> Callable[[int], bool]:
    """Loses `share` of the frames at random, and `bursts` times `burst` frames in a row."""
    gone = {n for n in range(count) if rng.random() < share}
    for _ in range(bursts):
        start = rng.randrange(count - burst)
        gone.update(range(start, start + burst))
    return gone.__contains__
