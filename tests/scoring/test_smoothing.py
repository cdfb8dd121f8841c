"""Filtering and resampling of whole recordings."""

import numpy as np
import pytest

from services.scoring.movement.smoothing import fill_gaps, lowpass, noise_left, resample


def test_the_filter_keeps_slow_movement_where_and_as_large_as_it_is() -> None:
    times = np.arange(0, 4, 1 / 60)
    wave = np.sin(2 * np.pi * 1.0 * times)
    smooth = lowpass(wave, 60.0)
    assert smooth == pytest.approx(wave, abs=0.01)
    assert np.argmax(smooth[:60]) == np.argmax(wave[:60])


def test_the_filter_halves_the_power_at_its_cut_off() -> None:
    times = np.arange(0, 20, 1 / 120)
    wave = np.sin(2 * np.pi * 6.0 * times)
    gain = np.ptp(lowpass(wave, 120.0)[600:1800]) / 2
    assert gain == pytest.approx(2**-0.5, abs=0.02)


def test_a_rate_too_low_for_the_cut_off_leaves_the_values_alone() -> None:
    values = np.random.default_rng(1).normal(size=(40, 3))
    assert (lowpass(values, 5.0) == values).all()


def test_a_constant_stays_constant_to_the_ends() -> None:
    assert lowpass(np.full((30, 2), 7.0), 30.0) == pytest.approx(np.full((30, 2), 7.0))


def test_resampling_uneven_times_follows_a_smooth_curve() -> None:
    rng = np.random.default_rng(2)
    times = np.sort(np.concatenate(([0.0, 3.0], rng.uniform(0, 3, 88))))
    at = np.arange(0, 3, 1 / 30)
    assert resample(times, np.sin(2 * times), at) == pytest.approx(np.sin(2 * at), abs=0.02)


def test_resampling_is_the_cubic_through_every_row_with_the_slopes_numpy_gives() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.01, 0.2, 25))
    values = rng.normal(size=(25, 4))
    slopes = np.gradient(values, times, axis=0)
    assert resample(times, values, times) == pytest.approx(values)
    for row in range(24):
        (one, two), span = times[row : row + 2], times[row + 1] - times[row]
        halfway = (values[row] + values[row + 1]) / 2 + span * (slopes[row] - slopes[row + 1]) / 8
        assert resample(times, values, np.array([(one + two) / 2]))[0] == pytest.approx(halfway)
    beyond = resample(times, values, np.array([times[0] - 1.0, times[-1] + 1.0]))
    assert beyond == pytest.approx(values[[0, -1]])


def test_gaps_are_bridged_and_ends_held() -> None:
    times = np.arange(6.0)
    values = np.array([[np.nan], [1.0], [np.nan], [3.0], [4.0], [np.nan]])
    assert fill_gaps(times, values)[:, 0].tolist() == [1, 1, 2, 3, 4, 4]


def test_noise_that_smoothing_leaves_is_told_from_what_it_took_and_movement_is_none() -> None:
    times = np.arange(0, 20, 1 / 30)
    movement = np.sin(2 * np.pi * 1.0 * times)[:, None]
    noise = np.random.default_rng(3).normal(0.0, [0.1, 0.02], (len(times), 2))
    jolt = np.where(np.abs(times - 10.0) < 0.1, 2.0, 0.0)[:, None]
    seen = movement + noise + jolt
    left = (lowpass(noise, 30.0)).std(axis=0)
    assert np.sqrt(noise_left(seen, lowpass(seen, 30.0))) == pytest.approx(left, rel=0.15)
    assert np.sqrt(noise_left(movement, lowpass(movement, 30.0))) < 0.003
