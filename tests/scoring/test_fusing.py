"""Views averaged in one compiled loop, against the same average written with arrays."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.movement import views
from services.scoring.movement.features import BONE_COUNT, BONE_LENGTHS, BONES, bone_vectors, joint_angles
from services.scoring.movement.landmarks import LANDMARKS, Floats, Landmark


def _mean(bones: Floats, information: Floats) -> tuple[Floats, Floats]:
    total = information.sum(axis=0)
    seen = total[:, 1, 1] > 0
    covariance = np.linalg.inv(np.where(seen[:, None, None], total, np.eye(3)))
    mean = np.einsum("bij,bj->bi", covariance, np.einsum("vbij,vbj->bi", information, bones))
    unit = mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-6)
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    return np.where(seen[:, None], unit, 0.0), np.where(seen[:, None], diagonal, np.inf)


def _information(turn: float) -> Floats:
    """(14, 3, 3) inverse error covariance of one view's bones in reference axes."""
    picture, depth = views._errors(turn)
    axis = views.depth_axis(turn)
    shape = np.eye(3) / picture + (1.0 / depth - 1.0 / picture) * np.outer(axis, axis)
    return shape[None] * (BONE_LENGTHS[:, None, None] ** 2 / 2.0)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_the_compiled_average_is_the_one_written_with_arrays(count: int, seed: int) -> None:
    made = np.random.default_rng(seed)
    turns = made.normal(size=count)
    bones = made.normal(size=(1, BONE_COUNT, 3)) + made.normal(scale=0.3, size=(count, BONE_COUNT, 3))
    visible = made.uniform(size=(count, BONE_COUNT))
    bones[made.uniform(size=visible.shape) < 0.1] = np.nan

    known = (visible >= views.VISIBLE) & np.isfinite(bones).all(axis=-1)
    there = np.stack([views.turned(one, turn) for one, turn in zip(bones, turns, strict=True)])
    there = np.where(known[..., None], there, 0.0)
    information = np.stack([_information(turn) for turn in turns])
    information = information * np.where(known, visible**2, 0.0)[..., None, None]
    mean, variance = _mean(there, information)
    for _ in range(views.ROBUST_PASSES if count > 1 else 0):
        gap = there - mean
        squared = np.einsum("vbi,vbij,vbj->vb", gap, information, gap)
        mean, variance = _mean(there, information / (1.0 + squared / views.OUTLIER**2)[..., None, None])

    seen = views.fused(bones, visible, turns.tolist())
    components = 3 * BONE_COUNT
    np.testing.assert_allclose(seen.features[:components], mean.ravel(), atol=1e-9)
    np.testing.assert_allclose(seen.variance[:components], variance.ravel(), rtol=1e-9)
    angles = views.angle_variance(variance)
    np.testing.assert_allclose(seen.variance[components:], angles, rtol=1e-9)
    expected = np.where(np.isfinite(angles), joint_angles(mean), 0.0)
    np.testing.assert_allclose(seen.features[components:], expected, atol=1e-9)


def test_a_landmark_that_is_missing_spoils_only_the_bones_that_end_there() -> None:
    world = np.random.default_rng(1).normal(size=(4, LANDMARKS, 3))
    world[1, Landmark.LEFT_KNEE, 2] = np.nan
    world[2, Landmark.LEFT_KNEE] = np.inf
    world[3, Landmark.LEFT_HIP] = world[3, Landmark.LEFT_KNEE]
    missing = np.asarray(np.isnan(bone_vectors(world)).any(axis=-1))
    names = [{bone.name for bone, gone in zip(BONES, row, strict=True) if gone} for row in missing]
    assert names == [set(), {"left_thigh", "left_shin"}, {"left_thigh", "left_shin"}, {"left_thigh"}]
