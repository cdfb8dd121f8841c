"""The evaluation, on the small file: its measures, and that the score beats the usual cosine by far."""

from pathlib import Path

import numpy as np
import pytest

from bench.eval.__main__ import evaluate
from bench.eval.data import load
from bench.eval.inject import LIMBS, bent, spearman
from bench.eval.protocol import auc
from tests.scoring.puppet import Posture, landmarks


def test_auc_is_the_chance_that_wrong_deviates_more_than_right() -> None:
    assert auc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1.0
    assert auc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0.0
    assert auc(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.5


def test_spearman_asks_for_order_only() -> None:
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 11.0])) == pytest.approx(1.0)
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])) == pytest.approx(-1.0)


@pytest.mark.parametrize("part", LIMBS)
def test_an_injected_error_turns_the_limb_by_exactly_that_wherever_it_points(part: str) -> None:
    """Turned in the picture's plane, a limb that pointed at the camera moved by less than was said."""
    arm_at_camera = Posture(arms_forward=90.0, thighs=60.0, knees=60.0)
    world = np.stack([landmarks(Posture()), landmarks(arm_at_camera), landmarks(arm_at_camera, 45.0)])
    root, moved = LIMBS[part]
    for seed in range(8):
        wrong = bent(world, part, np.array([20.0, 20.0, 0.0]), np.random.default_rng(seed))
        before, after = (points[:, moved[0]] - points[:, root] for points in (world, wrong))
        length = np.linalg.norm(before, axis=1)
        cosine = (before * after).sum(axis=1) / length / np.linalg.norm(after, axis=1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) == pytest.approx([20, 20, 0], abs=1e-4)
        np.testing.assert_allclose(np.linalg.norm(after, axis=1), length)
        still = [mark for mark in range(33) if mark not in moved]
        np.testing.assert_array_equal(world[:, still], wrong[:, still])


def test_an_episode_that_broke_off_is_left_out_and_named(tmp_path: Path, shared_data: Path) -> None:
    """m10 s05 e09 has one frame, which no repetition is."""
    source = shared_data / "ui-prmd" / "uiprmd_vicon30hz_m01_deepsquat_s01-s02_small.npz"
    with np.load(source, allow_pickle=False) as stored:
        parts = dict(stored)
    ends = parts["offsets"]
    cut = {**parts, "offsets": np.array([ends[0], ends[1], ends[1] + 1])}
    cut |= {"index_m_s_e_correct": parts["index_m_s_e_correct"][:2], "xyz_mm": parts["xyz_mm"][: ends[1] + 1]}
    np.savez(tmp_path / "cut.npz", **cut)
    dataset = load(tmp_path / "cut.npz")
    assert len(dataset.performances) == 1
    assert len(dataset.too_short) == 1


def test_deep_squats_of_two_people_are_told_right_from_wrong(shared_data: Path) -> None:
    report = evaluate(
        shared_data / "ui-prmd" / "uiprmd_vicon30hz_m01_deepsquat_s01-s02_small.npz", quick=True
    )
    assert report["auc_within"]["label_free"] > 0.9
    assert report["auc_within"]["label_free"] > report["baseline_cosine"]["auc_within"]
