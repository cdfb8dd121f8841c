"""The evaluation, on the small file: its measures, and that the score beats the usual cosine by far."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bench.eval.data import BadData, load
from bench.eval.inject import LIMBS, bent, spearman
from bench.eval.localisation import CASES, localisation
from bench.eval.plots import plots
from bench.eval.protocol import auc
from bench.eval.report import evaluate
from bench.eval.streams import count_figures
from bench.eval.variation import Series, fitted
from services.scoring.judging.variation import Variation
from services.scoring.movement.features import BONE_COUNT
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


def part_of(shared_data: Path, path: Path, people: dict[int, int], gaps: bool = False) -> Path:
    """A file of some of the small file's people, under other numbers; `gaps` puts in what recordings suffer from."""
    source = shared_data / "ui-prmd" / "uiprmd_vicon30hz_m01_deepsquat_s01-s02_small.npz"
    with np.load(source, allow_pickle=False) as stored:
        index, ends, xyz = (stored[name] for name in ("index_m_s_e_correct", "offsets", "xyz_mm"))
        markers = stored["markers"]
    keep = [row for row, (_, subject, episode, _) in enumerate(index) if subject in people and episode <= 6]
    parts = [xyz[ends[row] : ends[row + 1]].astype(np.float32) for row in keep]
    index = index[keep].copy()
    index[:, 1] = [people[subject] for subject in index[:, 1]]
    if gaps:
        parts[0][:] = np.nan
        parts[1][5:9] = np.nan
        parts[2][:, 3] = 0
        # Of the last person only wrong ones are left: nobody's reference, but judged against others'.
        chosen = [
            row for row in range(len(parts)) if index[row, 3] == 0 or index[row, 1] != max(people.values())
        ]
        parts, index = [parts[row] for row in chosen], index[chosen]
    offsets = np.cumsum([0, *map(len, parts)])
    np.savez(path, xyz_mm=np.concatenate(parts), offsets=offsets, index_m_s_e_correct=index, markers=markers)
    return path


def test_deep_squats_of_two_people_are_told_right_from_wrong_and_drawn(
    shared_data: Path, tmp_path: Path
) -> None:
    found = evaluate(shared_data / "ui-prmd" / "uiprmd_vicon30hz_m01_deepsquat_s01-s02_small.npz", quick=True)
    report = found.report
    assert report["auc_within"]["label_free"] > 0.9
    assert report["auc_within"]["label_free"] > report["baseline_cosine"]["auc_within"]
    # Two people leave nobody to calibrate on: no figure rather than a wrong one.
    assert report["auc_within"]["correct_only"] is None
    drawn = plots(found, tmp_path / "eval.json")
    assert {path.name for path in drawn} >= {"eval-movements.png", "eval-roc.png", "eval-deviations.png"}
    assert all(path.stat().st_size > 1000 for path in drawn)


def test_a_file_with_gaps_and_people_without_correct_repetitions_is_measured_as_far_as_it_goes(
    shared_data: Path, tmp_path: Path
) -> None:
    data = part_of(shared_data, tmp_path / "gaps.npz", {1: 7, 2: 9}, gaps=True)
    report = evaluate(data, quick=True).report
    assert report["subjects"] == [7, 9]
    assert len(report["too_short"]) == 1
    assert report["caught"]["label_free"] is not None
    # The only one who has correct repetitions is the only reference, and not judged by it.
    assert report["passed"]["label_free"] is None


def test_a_calibration_fitted_on_one_file_is_applied_to_another(shared_data: Path, tmp_path: Path) -> None:
    small = shared_data / "ui-prmd" / "uiprmd_vicon30hz_m01_deepsquat_s01-s02_small.npz"
    whole = shared_data / "ui-prmd" / "uiprmd_vicon30hz_all_movements_s01-s05.npz"
    one, other = (tmp_path / name for name in ("one.npz", "other.npz"))
    part_of(shared_data, one, {1: 1, 2: 2})
    with np.load(whole, allow_pickle=False) as stored:
        parts = dict(stored)
    index, ends = parts["index_m_s_e_correct"], parts["offsets"]
    chosen = [
        row for row, (movement, subject, episode, _) in enumerate(index)
        if movement == 1 and subject > 2 and episode <= 4
    ]  # fmt: skip
    pieces = [parts["xyz_mm"][ends[row] : ends[row + 1]] for row in chosen]
    offsets = np.cumsum([0, *map(len, pieces)])
    np.savez(
        other,
        xyz_mm=np.concatenate(pieces),
        offsets=offsets,
        index_m_s_e_correct=index[chosen],
        markers=parts["markers"],
    )
    report = evaluate(one, quick=True, calibrate=other).report
    assert report["calibrated_on"] == "other.npz"
    for calibration in ("correct_only", "full"):
        assert report["auc_within"][calibration] > 0.8
    with pytest.raises(BadData, match="seen the answers"):
        evaluate(small, quick=True, calibrate=small)


def test_how_people_differ_is_found_again_from_people_drawn_to_differ_so_without_those_left_out() -> None:
    rng = np.random.default_rng(9)
    drawn = [
        Variation(*(np.full(BONE_COUNT, part) for part in parts))
        for parts in ((0.02, 0.002, 0.5, 0.05), (0.002, 0.001, 0.02, 0.01))
    ]

    def off(variation: Variation, moved: np.ndarray) -> np.ndarray:
        lower = np.linalg.cholesky(variation.covariance(moved) + 1e-9 * np.eye(9))
        out = (lower @ rng.normal(size=(BONE_COUNT, 9, 1)))[:, :, 0].reshape(BONE_COUNT, 3, 3)
        out[:, :, 2] = 0.0  # a direction turns two ways only
        return out.reshape(BONE_COUNT, 9)

    series = []
    shown = np.tile((0.0, 0.0, 1.0), (3, BONE_COUNT, 1))
    for movement, subject, reference in product(range(1, 6), range(1, 8), range(1, 8)):
        moved = rng.normal(0.0, 0.5, (3, BONE_COUNT, 3)) * (1.0, 1.0, 0.0)
        habit = off(drawn[0], moved) * (subject != reference)
        if 7 in (subject, reference):
            habit = habit + 5.0
        repetitions = np.stack([habit + off(drawn[1], moved) for _ in range(10)])
        series.append(Series(movement, subject, reference, moved, shown, repetitions))
    found = fitted(series, without={7})
    assert found is not None
    for truth, fit in zip(drawn, found, strict=True):
        for part in ("pose", "phase", "reach", "stray"):
            np.testing.assert_allclose(
                np.sqrt(getattr(fit, part).mean()), np.sqrt(getattr(truth, part)[0]), rtol=0.25
            )
    assert fitted([one for one in series if one.subject < 3]) is None


def test_errors_are_localised_by_what_is_known_and_two_people_say_nothing_of_how_people_differ(
    shared_data: Path, tmp_path: Path
) -> None:
    data = part_of(shared_data, tmp_path / "two.npz", {1: 1, 2: 2})
    found = localisation(load(data).performances, "clean")
    assert found.pop("left_out") is None
    assert set(found) == set(CASES)
    assert all(one["part"] > 0.9 and one["phase"] > 0.9 for one in found.values())


def test_a_file_of_another_form_is_refused_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(BadData, match=r"other\.npz"):
        load(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(BadData, match=r"text\.npz"):
        load(tmp_path / "text.npz")


def test_counts_are_told_as_shares_off_by_none_and_by_at_most_one() -> None:
    found = {1: {"correct": [(1, 2, 0, 10), (1, 3, -1, 10), (1, 4, 3, 5)], "incorrect": [], "idle": 0}}
    figures = count_figures(found)
    assert figures["correct"]["exact"] == pytest.approx(1 / 3)
    assert figures["correct"]["obo"] == pytest.approx(2 / 3)
    assert figures["correct"]["mae"] == pytest.approx((0.1 + 0.6) / 3)
    assert np.isnan(figures["incorrect"]["obo"])
