"""Zero-phase low-pass filtering and resampling of whole recordings, and what little live signals need."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.landmarks import Floats

CUTOFF_HZ = 6.0
"""Human movement lies below this; the usual cut-off for marker trajectories (Winter, Biomechanics, 2.4.4)."""


def lowpass(values: Floats, rate_hz: float, cutoff_hz: float = CUTOFF_HZ) -> Floats:
    """Second-order Butterworth run forwards and backwards over axis 0: no lag, fourth order in all.

    The design cut-off is raised by (2^(1/2) - 1)^(-1/4), so that the two passes together fall to -3 dB at
    `cutoff_hz` (Winter, as above). A rate too low to hold the cut-off leaves the values as they are. NaN must have
    been filled before.
    """
    corrected = cutoff_hz / (math.sqrt(2.0) - 1.0) ** 0.25
    if len(values) < 4 or corrected >= 0.45 * rate_hz:
        return values.copy()
    k = math.tan(math.pi * corrected / rate_hz)
    norm = 1.0 / (1.0 + math.sqrt(2.0) * k + k * k)
    b0 = k * k * norm
    a1 = 2.0 * (k * k - 1.0) * norm
    a2 = (1.0 - math.sqrt(2.0) * k + k * k) * norm
    flat = np.ascontiguousarray(values.reshape(len(values), -1), dtype=np.float64)
    pad = min(len(flat) - 1, max(6, round(rate_hz / cutoff_hz * 3)))
    # Odd reflection keeps level and slope at both ends, so that the filter has settled when the data begin.
    padded = np.concatenate((2 * flat[0] - flat[pad:0:-1], flat, 2 * flat[-1] - flat[-2 : -pad - 2 : -1]))
    forwards = _biquad(padded, b0, a1, a2)
    both = _biquad(forwards[::-1].copy(), b0, a1, a2)[::-1]
    smooth: Floats = both[pad : pad + len(flat)].reshape(values.shape)
    return smooth


def noise_left(values: Floats, smooth: Floats) -> Floats:
    """Variance (features,) of the noise that `lowpass` has left in `smooth` (rows, features), from what it took out.

    At 30 rows a second it leaves about as much white noise as it takes out, and movement has next to nothing up there. By
    the median (1.4826 makes a standard deviation of it), so that a moment's jolt or mix-up is no noise.
    """
    out: Floats = np.square(1.4826 * np.median(np.abs(values - smooth), axis=0))
    return out


@numba.njit(cache=True, nogil=True)
def _biquad(values: Floats, b0: float, a1: float, a2: float) -> Floats:
    """Runs y[n] = b0 (x[n] + 2 x[n-1] + x[n-2]) - a1 y[n-1] - a2 y[n-2] over axis 0, settled on the first row."""
    out = np.empty_like(values)
    for column in range(values.shape[1]):
        x1 = x2 = y1 = y2 = values[0, column]
        for n in range(values.shape[0]):
            x0 = values[n, column]
            y0 = b0 * (x0 + 2.0 * x1 + x2) - a1 * y1 - a2 * y2
            out[n, column] = y0
            x2, x1 = x1, x0
            y2, y1 = y1, y0
    return out


def resample(times_s: Floats, values: Floats, at_s: Floats) -> Floats:
    """Cubic (Catmull-Rom on uneven knots) interpolation over axis 0; `at_s` outside the range holds the end rows."""
    if len(times_s) < 2:
        return np.repeat(values[:1], len(at_s), axis=0)
    flat = np.ascontiguousarray(values.reshape(len(values), -1), dtype=np.float64)
    right = np.clip(np.searchsorted(times_s, at_s, side="right"), 1, len(times_s) - 1)
    out = _hermite(times_s, flat, at_s, right)
    return out.reshape((len(at_s), *values.shape[1:]))


@numba.njit(cache=True, nogil=True)
def _hermite(times_s: Floats, values: Floats, at_s: Floats, right: NDArray[np.int64]) -> Floats:
    """Values (m, k) at `at_s` of rows (n, k) at `times_s`; `right`: the row after each instant."""
    count, columns = values.shape
    slopes = np.empty_like(values)
    for n in range(count):
        if n == 0 or n == count - 1:
            end = max(n, 1)
            for k in range(columns):
                slopes[n, k] = (values[end, k] - values[end - 1, k]) / (times_s[end] - times_s[end - 1])
            continue
        # Second order in uneven steps, as numpy.gradient's.
        before, after = times_s[n] - times_s[n - 1], times_s[n + 1] - times_s[n]
        a, c = -after / (before * (before + after)), before / (after * (before + after))
        for k in range(columns):
            slopes[n, k] = a * values[n - 1, k] - (a + c) * values[n, k] + c * values[n + 1, k]
    out = np.empty((len(at_s), columns))
    for m in range(len(at_s)):
        two = right[m]
        one = two - 1
        span = times_s[two] - times_s[one]
        u = min(max((at_s[m] - times_s[one]) / span, 0.0), 1.0)
        from_one, from_two = (2.0 * u - 3.0) * u * u + 1.0, (3.0 - 2.0 * u) * u * u
        bend_one, bend_two = ((u - 2.0) * u + 1.0) * u * span, (u - 1.0) * u * u * span
        for k in range(columns):
            out[m, k] = (
                from_one * values[one, k]
                + bend_one * slopes[one, k]
                + from_two * values[two, k]
                + bend_two * slopes[two, k]
            )
    return out


def fill_gaps(times_s: Floats, values: Floats) -> Floats:
    """Linear interpolation over rows with NaN, each column by itself; leading and trailing gaps hold the nearest."""
    if np.isfinite(values).all():
        return values
    flat = values.reshape(len(values), -1).copy()
    for column in range(flat.shape[1]):
        good = np.isfinite(flat[:, column])
        if good.all():
            continue
        flat[:, column] = np.interp(times_s, times_s[good], flat[good, column]) if good.any() else 0.0
    return flat.reshape(values.shape)
