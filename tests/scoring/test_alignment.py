"""Warping of finished repetitions against an exhaustive oracle, and of live ones against the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from services.scoring.movement.alignment import OnlineWarping, onto_template, warping_path

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
    assert np.mean(errors) < 0.027


def test_a_lost_performance_is_found_again_within_a_second() -> None:
    template = curve(120)
    warping = OnlineWarping(template, 30.0, cyclic=True)
    warping.begin(0)
    warping.relocate()
    rows = [warping.advance(template[true], np.ones(3), 1 / 30).row for true in range(60, 90)]
    assert rows[-1] == pytest.approx(89, abs=2)
