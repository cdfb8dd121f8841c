"""The evaluation, on the small file: its measures, and that the score beats the usual cosine by far."""

from pathlib import Path

import numpy as np
import pytest

from bench.eval.__main__ import evaluate
from bench.eval.inject import spearman
from bench.eval.protocol import auc


def test_auc_is_the_chance_that_wrong_deviates_more_than_right() -> None:
    assert auc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1.0
    assert auc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0.0
    assert auc(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.5


def test_spearman_asks_for_order_only() -> None:
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 11.0])) == pytest.approx(1.0)
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])) == pytest.approx(-1.0)


def test_deep_squats_of_two_people_are_told_right_from_wrong(shared_data: Path) -> None:
    report = evaluate(
        shared_data / "ui-prmd" / "uiprmd_vicon30hz_m01_deepsquat_s01-s02_small.npz", quick=True
    )
    assert report["auc_within"]["label_free"] > 0.9
    assert report["auc_within"]["label_free"] > report["baseline_cosine"]["auc_within"]
