"""Do the pictures agree that the cameras are in time? Clocks cannot tell an error beyond half a frame; the person can.

With a calibration: a camera that is late sees the body where it was, so its landmarks lie off the point the others
triangulate. The time shift that makes all agree best is its lag. Without one only keypoint speed is left: the shift at
which the landmarks' vertical speeds, which every upright camera shares, correlate best. That is a far weaker witness:
the model is late with some movements seen from some sides, by up to 30 ms, so smaller lags say nothing, and it speaks
up only when the speeds are nearly the same. (On 110 pairs of six seconds of the virtual gym seen at 30° and 90° by
MediaPipe: none blamed in time, 79 % found at ±45 ms; at a correlation of 0.8, speeds over ±25 ms and 20 ms, 7 % were
blamed.)

Nothing is corrected here. A session is told, and decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_high, median_low

import numpy as np
from numpy.typing import NDArray

from services.sync.calibration import CalibratedCamera

Array = NDArray[np.float64]
BODY = (0, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""Landmarks that are looked at: nose, shoulders, elbows, wrists, hips, knees, ankles."""
VISIBLE = 0.5
LONGEST_LAG_US = 120_000
STEP_US = 8_000
LEAST_LAG_US = 20_000
"""Less is not worth an alarm: a frame of a fast camera."""
LEAST_GAIN = 0.12
"""An alarm needs the disagreement to fall by this share when the camera is shifted."""
LEAST_CORRELATION = 0.9
LEAST_SPEED_LAG_US = 33_000
SPEED_HALF_US = 50_000
"""Speeds are taken over this much on either side."""
FEWEST_POINTS = 200
PARTS = 3
"""The uncertainty comes of leaving out one part of the time after the other (jackknife)."""


@dataclass(frozen=True)
class Track2D:
    """One camera's landmarks over the last seconds: `times_us` (f,), `points` (f, 13, 2) and `visibility` (f, 13).

    Points are normalised and undistorted where there is a calibration, else shares of the image's height.
    """

    times_us: NDArray[np.int64]
    points: Array
    visibility: Array

    def at(self, times_us: NDArray[np.int64]) -> tuple[Array, NDArray[np.bool_]]:
        """Points (t, 13, 2) interpolated to `times_us`, and whether each can be trusted (t, 13)."""
        after = np.clip(np.searchsorted(self.times_us, times_us), 1, len(self.times_us) - 1)
        before = after - 1
        span = np.maximum(1, self.times_us[after] - self.times_us[before])
        share = ((times_us - self.times_us[before]) / span)[:, None, None]
        inside = (times_us >= self.times_us[0]) & (times_us <= self.times_us[-1])
        # The same as indexing, in half the time.
        first, last = self.points.take(before, axis=0), self.points.take(after, axis=0)
        clear = self.visibility >= VISIBLE
        seen = clear.take(before, axis=0) & clear.take(after, axis=0) & inside[:, None]
        return first + (last - first) * share, seen


@dataclass(frozen=True)
class Lag:
    """How late a camera's pictures are against the others', microseconds (negative: early), and how sure that is."""

    lag_us: int
    gain: float
    """0 to 1: the share by which disagreement falls (calibrated), or how far the correlation is beyond what is asked."""
    alarm: bool
    uncertainty_us: int | None = None
    """Half-width of the interval that holds `lag_us` (two deviations and half a step). None: could not be judged."""


NOT_JUDGED = Lag(0, 0.0, alarm=False)
"""Too little was seen, or nobody moved."""


def calibrated_lags(tracks: Mapping[str, Track2D], cameras: Mapping[str, CalibratedCamera]) -> dict[str, Lag]:
    """Lag of each camera against what the others triangulate. At least three calibrated cameras, else empty.

    Only one camera is judged late at a time: the one whose shift helps most. A late camera drags the others' verdicts.
    """
    names = [name for name in tracks if name in cameras]
    if len(names) < 3:
        return {}
    common = _common_times(list(tracks.values()))
    if common is None:
        return {}
    found = {name: _shift(name, names, tracks, cameras, common) for name in names}
    worst = max(found, key=lambda name: found[name].gain)
    return {name: replace(lag, alarm=lag.alarm and name == worst) for name, lag in found.items()}


def _shift(
    name: str,
    names: Sequence[str],
    tracks: Mapping[str, Track2D],
    cameras: Mapping[str, CalibratedCamera],
    times_us: NDArray[np.int64],
) -> Lag:
    others = [other for other in names if other != name]
    seen = np.ones((len(times_us), len(BODY)), dtype=bool)
    normal = np.zeros((len(times_us), len(BODY), 4, 4))
    for other in others:
        points, trusted = tracks[other].at(times_us)
        seen &= trusted
        rows = points[..., :, None] * cameras[other].projection[2] - cameras[other].projection[:2]
        normal += rows.swapaxes(-1, -2) @ rows
    world = np.linalg.eigh(normal)[1][..., :, 0]
    there = world @ cameras[name].projection.T
    expected = there[..., :2] / there[..., 2:]
    lags, costs = _lags_us(), []
    all_points, all_trusted = tracks[name].at(_every_step(times_us))
    for at in _shifts(times_us):
        points, trusted = all_points[at], all_trusted[at]
        use = seen & trusted
        if use.sum() < FEWEST_POINTS:
            return NOT_JUDGED
        costs.append(
            [_scatter(points[kept] - expected[kept], use[kept]) for kept in _jackknife(len(times_us))]
        )
    whole = [cost for cost, *_ in costs]
    best, uncertainty_us = _lowest(lags, whole), _uncertainty_us(lags, np.array(costs))
    gain = 1 - min(whole) / max(whole[len(whole) // 2], 1e-9)
    return Lag(round(best), gain, gain >= LEAST_GAIN and abs(best) >= LEAST_LAG_US, uncertainty_us)


def _jackknife(count: int) -> list[NDArray[np.int64]]:
    """Indices of all instants, then of all but one part, for each part."""
    instants = np.arange(count)
    return [instants, *(np.delete(instants, part) for part in np.array_split(instants, PARTS))]


def _uncertainty_us(lags: NDArray[np.int64], costs: Array) -> int:
    """Of the lag with the lowest cost: the jackknife's two deviations, and half a step. `costs`: (lags, 1 + PARTS)."""
    found = np.array([_lowest(lags, costs[:, 1 + part]) for part in range(PARTS)])
    deviation = float(np.sqrt((PARTS - 1) / PARTS * np.sum((found - found.mean()) ** 2)))
    return round(2 * deviation + STEP_US / 2)


def _scatter(misses: Array, use: NDArray[np.bool_]) -> float:
    """How far points lie from where they should, (t, 13, 2): with and without what a view always gets wrong.

    The plain distance overrates a lag (a shift also makes up for constant errors of the landmarks), the distance from
    each landmark's usual miss underrates it (that takes part of a slow motion away); their sum lies between.
    """
    known = np.where(use.T[:, None], misses.transpose(1, 2, 0), np.nan)
    usual = _median(known)
    plain, varying = (np.hypot(miss[:, 0], miss[:, 1]).ravel() for miss in (known, known - usual[..., None]))
    return float(_median(plain) + _median(varying))


def _median(values: Array) -> Array:
    """Along the last axis, of what is known: NaN stands for what is not. (numpy's own takes forty times as long.)"""
    ordered = np.sort(values, axis=-1)
    count = np.isfinite(values).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    middle: Array = ((low + high) / 2)[..., 0]
    return middle


def speed_lags(tracks: Mapping[str, Track2D]) -> dict[str, Lag]:
    """Lag of each camera by speeds, against the one that sees most, or, where most of three or more contradict that one
    alike, against these. At least two cameras, else empty.
    """
    if len(tracks) < 2:
        return {}
    reference = max(tracks, key=lambda name: float(tracks[name].visibility.mean()))
    lags = {name: speed_lag(tracks[reference], tracks[name]) for name in tracks if name != reference}
    sure = [lag for lag in lags.values() if lag.gain > 0]
    places = [0, *(lag.lag_us for lag in sure)]
    middle_us = min(median_low(places), median_high(places), key=abs)
    if len(sure) < 2 or abs(middle_us) < LEAST_SPEED_LAG_US:
        return lags
    there = min(sure, key=lambda lag: abs(lag.lag_us - middle_us))
    return {
        reference: _by_speed(-middle_us, there.gain, there.uncertainty_us),
        **{
            name: _by_speed(lag.lag_us - middle_us, lag.gain, lag.uncertainty_us)
            for name, lag in lags.items()
            if lag.gain > 0
        },
    }


def _by_speed(lag_us: int, gain: float, uncertainty_us: int | None) -> Lag:
    return Lag(lag_us, gain, gain > 0 and abs(lag_us) >= LEAST_SPEED_LAG_US, uncertainty_us)


def speed_lag(reference: Track2D, other: Track2D) -> Lag:
    """Lag of `other` against `reference` by the correlation of the landmarks' vertical speeds."""
    common = _common_times([reference, other])
    if common is None:
        return NOT_JUDGED
    own, other_own = _moments(*_speeds(reference, common)), _moments(*_speeds(other, _every_step(common)))
    sums = _sums(own, other_own, _apart_steps(common))
    whole = sums.sum(axis=1, keepdims=True)
    if whole[..., 0, 0].min() < FEWEST_POINTS:
        return NOT_JUDGED
    # All parts of the time, then all but one.
    costs = -_correlation(np.concatenate((whole, whole - sums), axis=1))
    best, correlation = _lowest(_lags_us(), costs[:, 0]), -float(costs[:, 0].min())
    sure = max(0.0, (correlation - LEAST_CORRELATION) / (1 - LEAST_CORRELATION))
    if correlation <= 0:
        return NOT_JUDGED
    return _by_speed(round(best), sure, _uncertainty_us(_lags_us(), costs))


def _moments(speeds: Array, seen: NDArray[np.bool_]) -> Array:
    """(3, t, 13): 1, the speed and its square where it was seen, else 0."""
    known = speeds * seen
    return np.stack((seen, known, known * known))


def _sums(own: Array, other: Array, apart: int) -> Array:
    """(lags, PARTS, 3, 3): for each lag and part of the time the sums of 1, a, a² times 1, b, b².

    `own` (3, t, 13) is at instants `apart` steps from each other, `other` (3, T, 13) at every step.
    """
    count = own.shape[1]
    bounds = [(part[0], part[-1] + 1) for part in np.array_split(np.arange(count), PARTS)]
    # Every so many steps apart, and without gaps in memory: then each sum is a product of two matrices.
    series = [np.ascontiguousarray(other[:, first::apart]) for first in range(apart)]
    sums = np.empty((len(_lags_us()), PARTS, 3, 3))
    for lag in range(len(sums)):
        skip, first = divmod(lag, apart)
        for part, (start, stop) in enumerate(bounds):
            theirs = series[first][:, skip + start : skip + stop]
            sums[lag, part] = own[:, start:stop].reshape(3, -1) @ theirs.reshape(3, -1).T
    return sums


def _correlation(sums: Array) -> Array:
    """Pearson's, of sums (…, 3, 3) as `_sums` gives them; 0 where one of the two does not vary: who stands still tells
    nothing.
    """
    count = np.maximum(sums[..., 0, 0], 1)
    one, other = sums[..., 1, 0], sums[..., 0, 1]
    varying = np.maximum(0.0, sums[..., 2, 0] - one * one / count)
    norm = np.sqrt(varying * np.maximum(0.0, sums[..., 0, 2] - other * other / count))
    return np.where(norm > 1e-9, (sums[..., 1, 1] - one * other / count) / np.maximum(norm, 1e-9), 0.0)


def _speeds(track: Track2D, times_us: NDArray[np.int64]) -> tuple[Array, NDArray[np.bool_]]:
    """Vertical speeds (t, 13) by central differences, image heights a second."""
    heights = replace(track, points=track.points[..., 1:])
    before, seen_before = heights.at(times_us - SPEED_HALF_US)
    after, seen_after = heights.at(times_us + SPEED_HALF_US)
    return (after - before)[..., 0] * (5e5 / SPEED_HALF_US), seen_before & seen_after


def _common_times(tracks: Sequence[Track2D]) -> NDArray[np.int64] | None:
    """Instants that all tracks cover even when shifted by the longest lag; None when there are too few."""
    if any(len(track.times_us) < 4 for track in tracks):
        return None
    first = max(int(track.times_us[0]) for track in tracks) + LONGEST_LAG_US
    last = min(int(track.times_us[-1]) for track in tracks) - LONGEST_LAG_US
    period_us = min(int(np.median(np.diff(track.times_us))) for track in tracks)
    # Whole steps apart, so that what is shifted by steps falls on instants of one grid.
    apart_us = max(1, round(period_us / STEP_US)) * STEP_US
    return np.arange(first, last, apart_us) if last - first > 20 * apart_us else None


def _lags_us() -> NDArray[np.int64]:
    """The lags that are tried."""
    return np.arange(-LONGEST_LAG_US, LONGEST_LAG_US + 1, STEP_US)


def _every_step(times_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """All instants that `times_us` come to when they are shifted by the lags, once each."""
    return np.arange(times_us[0] - LONGEST_LAG_US, times_us[-1] + LONGEST_LAG_US + 1, STEP_US)


def _shifts(times_us: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Where `times_us` shifted by each lag stand in `_every_step`."""
    there = (times_us - times_us[0]) // STEP_US
    return (there + n for n in range(2 * LONGEST_LAG_US // STEP_US + 1))


def _apart_steps(times_us: NDArray[np.int64]) -> int:
    return int(times_us[1] - times_us[0]) // STEP_US


def _lowest(lags: NDArray[np.int64], costs: Sequence[float] | Array) -> float:
    """Where the cost is lowest, refined by the parabola through the neighbours."""
    low = int(np.argmin(costs))
    if not 0 < low < len(costs) - 1:
        return float(lags[low])
    left, middle, right = costs[low - 1 : low + 2]
    bend = left - 2 * middle + right
    return float(lags[low] + (0.5 * (left - right) / bend * STEP_US if bend > 0 else 0.0))
