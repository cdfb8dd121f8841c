"""Bones, angles, headings and fusion, on a figure whose angles are known."""

import numpy as np
import pytest

from services.scoring.movement import features, views
from services.scoring.movement.features import ANGLE, BONE
from tests.scoring.puppet import Posture, landmarks, squat, view


def angles(posture: Posture, heading_deg: float = 0.0) -> dict[str, float]:
    values = np.degrees(features.joint_angles(features.bone_vectors(landmarks(posture, heading_deg))))
    return {name: float(values[index]) for name, index in ANGLE.items()}


@pytest.mark.parametrize("heading_deg", [0.0, 45.0, 90.0, 180.0, -70.0])
def test_angles_are_those_of_the_body_from_wherever_it_is_seen(heading_deg: float) -> None:
    seen = angles(Posture(knees=90, thighs=70, lean=25, left_arm=40, elbows=30), heading_deg)
    assert seen["left_knee"] == pytest.approx(90, abs=0.1)
    assert seen["right_thigh_lift"] == pytest.approx(70, abs=0.1)
    assert seen["trunk_lean"] == pytest.approx(25, abs=0.1)
    assert seen["right_hip"] == pytest.approx(95, abs=0.1)
    assert seen["left_arm_lift"] == pytest.approx(40, abs=0.1)
    assert seen["right_elbow"] == pytest.approx(30, abs=0.1)
    assert seen["shoulder_tilt"] == pytest.approx(0, abs=0.1)


def test_standing_reads_zero_at_knees_hips_and_shoulders() -> None:
    seen = angles(Posture())
    for name in ("left_knee", "right_hip", "left_shoulder", "right_elbow", "trunk_lean"):
        assert seen[name] == pytest.approx(0, abs=0.1), name


@pytest.mark.parametrize("heading_deg", [0.0, 30.0, 90.0, 179.0, -120.0])
def test_the_heading_is_found_from_hips_and_shoulders(heading_deg: float) -> None:
    bones = features.bone_vectors(landmarks(squat(0.5), heading_deg))
    assert np.degrees(views.heading(bones)) == pytest.approx(heading_deg, abs=0.1)


def test_a_turned_view_agrees_with_the_reference_once_it_is_turned_back() -> None:
    here = features.bone_vectors(landmarks(squat(0.8), 10.0))
    there = features.bone_vectors(landmarks(squat(0.8), 75.0))
    assert views.turned(there, np.radians(10.0 - 75.0)) == pytest.approx(here, abs=1e-9)


def test_the_mirror_image_exchanges_the_sides() -> None:
    one = features.bone_vectors(landmarks(Posture(left_arm=70, right_arm=10, lean=20), 30.0))
    other = features.bone_vectors(landmarks(Posture(left_arm=10, right_arm=70, lean=20), 30.0))
    lateral = np.array([np.cos(np.radians(30)), 0.0, np.sin(np.radians(30))])
    assert features.mirrored(one, lateral) == pytest.approx(other, abs=1e-9)


def test_a_hidden_limb_is_unknown_not_wrong() -> None:
    seen = view(squat(0.5))
    seen.visibility[15] = 0.1  # the left wrist
    fused = views.fuse((seen,), (0.0,))
    forearm = slice(3 * BONE["left_forearm"], 3 * BONE["left_forearm"] + 3)
    assert not fused.known[forearm].any()
    assert fused.known[3 * BONE["right_forearm"]]
    assert not fused.known[3 * len(features.BONES) + ANGLE["left_elbow"]]


def test_two_views_know_more_than_one_and_agree_with_the_truth() -> None:
    posture = Posture(knees=60, thighs=50, lean=20, left_arm=30)
    truth = features.feature_vectors(features.bone_vectors(landmarks(posture, 0.0)))
    one = views.fuse((view(posture, 0.0),), (0.0,))
    two = views.fuse((view(posture, 0.0), view(posture, 90.0, "b")), (0.0, np.radians(-90.0)))
    assert two.features == pytest.approx(truth, abs=1e-6)
    assert (two.variance < one.variance).all()


def test_one_view_that_swaps_the_sides_does_not_carry_the_others_with_it() -> None:
    posture = Posture(left_arm=80, right_arm=5)
    truth = features.feature_vectors(features.bone_vectors(landmarks(posture, 0.0)))
    wrong = view(Posture(left_arm=5, right_arm=80), 0.0, "c")
    fused = views.fuse((view(posture), view(posture, 0.0, "b"), wrong), (0.0, 0.0, 0.0))
    assert np.abs(fused.features - truth).max() < np.radians(20)


def test_nan_landmarks_hide_the_limbs_that_need_them() -> None:
    seen = view(Posture())
    seen.world_m[25] = np.nan  # the left knee
    fused = views.fuse((seen,), (0.0,))
    assert np.isfinite(fused.features).all()
    assert not fused.known[3 * BONE["left_shin"]]
    assert not fused.known[3 * BONE["left_thigh"]]
    assert fused.known[3 * BONE["right_shin"]]
