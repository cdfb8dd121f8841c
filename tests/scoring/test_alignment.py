"""Warping of finished repetitions against an exhaustive oracle, and of live ones against the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from services.scoring.movement.alignment import OnlineWarping
from services.scoring.movement.warping import onto_template, warping_path

values = st.floats(-3, 3, width=32)


def exhaustive(a: np.ndarray, b: np.ndarray) -> float:
    """Textbook dynamic time warping, without a band."""
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    total[0, 0] = 0
    for i in range(len(a)):
        for j in range(len(b)):
            gap = float(np.square(a[i] - b[j]).sum())
            total[i + 1, j + 1] = gap + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return float(total[-1, -1])


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=values),
    hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=values),
)
def test_a_band_as_wide_as_everything_finds_the_cheapest_path(a: np.ndarray, b: np.ndarray) -> None:
    rows, columns, cost = warping_path(a, b, band=2.0)
    assert cost == pytest.approx(exhaustive(a, b), abs=1e-6)
    assert cost == pytest.approx(float(np.square(a[rows] - b[columns]).sum()), abs=1e-6)


@given(st.integers(1, 90), st.integers(1, 90))
def test_a_path_joins_both_ends_in_single_steps_whatever_the_lengths(n: int, m: int) -> None:
    rng = np.random.default_rng(n * 100 + m)
    rows, columns, _ = warping_path(rng.normal(size=(n, 3)), rng.normal(size=(m, 3)))
    assert (rows[0], columns[0], rows[-1], columns[-1]) == (0, 0, n - 1, m - 1)
    steps = np.stack((np.diff(rows), np.diff(columns)), axis=1)
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(axis=1) >= 1).all()
    assert onto_template(rng.normal(size=(n, 3)), rows, columns, m).shape == (m, 3)


def curve(length: int) -> np.ndarray:
    """A movement out and back by another way, so that every place on it is told from every other."""
    phase = np.linspace(0, 2 * np.pi, length)
    return np.stack((1 - np.cos(phase), np.sin(phase), 0.5 * np.sin(2 * phase)), axis=1) * 4


@pytest.mark.parametrize("tempo", [0.5, 1.0, 2.0])
def test_the_live_position_keeps_up_with_any_tempo(tempo: float) -> None:
    template = curve(90)
    warping = OnlineWarping(template, 30.0, cyclic=False)
    warping.begin(0)
    errors = []
    for true in np.arange(0, 89, tempo):
        row = np.array([np.interp(true, np.arange(90), template[:, k]) for k in range(3)])
        errors.append(abs(warping.advance(row, np.ones(3), 1 / 30).row - true) / 30)
    assert np.mean(errors) < 0.015


def followed(template: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Rows told of a performance that begins at the template's first row."""
    warping = OnlineWarping(template, 30.0, cyclic=False)
    warping.begin(0)
    return np.array([warping.advance(row, np.ones(template.shape[1]), 1 / 30).row for row in seen])


def test_a_noisy_camera_blurs_the_position_and_delays_nothing() -> None:
    """Smoothed landmarks would answer late: here the errors have no sign."""
    template, rng = curve(90), np.random.default_rng(3)
    errors = np.concatenate(
        [followed(template, template + rng.normal(0, 1.0, template.shape)) - np.arange(90) for _ in range(20)]
    )
    assert np.abs(errors).mean() < 2.5
    assert abs(errors.mean()) < 1.0


def test_what_the_user_does_differently_all_the_time_does_not_move_the_position() -> None:
    """A ready pose read from one noisy frame pulled the position off for the whole repetition."""
    template = curve(90)
    rows = followed(template, template + np.array([0.6, -0.5, 0.7]))
    assert np.abs(rows - np.arange(90))[30:].mean() < 1.0


def test_the_position_stays_through_a_pause_and_goes_on_after_it() -> None:
    template = curve(90)
    true = np.concatenate((np.arange(30), np.full(90, 29), np.arange(29, 89)))
    rows = followed(template, template[true] + np.random.default_rng(1).normal(0, 0.3, (len(true), 3)))
    assert np.abs(rows - true).max() < 6


def test_a_movement_that_turns_back_half_way_is_found_where_it_went() -> None:
    """Out and back again by the same poses: the place after it is where these poses are on the way back, or at the start."""
    template = np.concatenate((np.linspace(0, 8, 45), np.linspace(8, 0, 45)))[:, None] * np.ones(3)
    there = np.concatenate((np.linspace(0, 4, 23), np.linspace(4, 0.5, 20)))[:, None] * np.ones(3)
    place = followed(template, there)[-1]
    assert template[round(float(place)), 0] == pytest.approx(0.5, abs=0.5)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_nothing_seen_is_no_evidence_and_gives_finite_numbers(weight: float) -> None:
    warping = OnlineWarping(curve(30), 30.0, cyclic=True)
    for _ in range(50):
        position = warping.advance(np.full(3, 50.0), np.full(3, weight), 2.0)
        assert np.isfinite(position.row)
        assert 0.0 <= position.confidence <= 1.0


def test_a_lost_performance_is_found_again_within_a_second() -> None:
    template = curve(120)
    warping = OnlineWarping(template, 30.0, cyclic=True)
    warping.begin(0)
    warping.relocate()
    rows = [warping.advance(template[true], np.ones(3), 1 / 30).row for true in range(60, 90)]
    assert rows[-1] == pytest.approx(89, abs=2)
