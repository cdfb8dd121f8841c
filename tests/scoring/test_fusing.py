"""Views averaged in one compiled loop, against the same average written with arrays."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.movement import views
from services.scoring.movement.features import (
    BONE_COUNT,
    BONE_LENGTHS,
    BONES,
    bone_vectors,
    feature_vectors,
    joint_angles,
)
from services.scoring.movement.landmarks import LANDMARKS, Floats, Landmark, View
from services.scoring.movement.observer import Observer


def _mean(bones: Floats, information: Floats) -> tuple[Floats, Floats]:
    total = information.sum(axis=0)
    seen = total[:, 1, 1] > 0
    covariance = np.linalg.inv(np.where(seen[:, None, None], total, np.eye(3)))
    mean = np.einsum("bij,bj->bi", covariance, np.einsum("vbij,vbj->bi", information, bones))
    unit = mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-6)
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    return np.where(seen[:, None], unit, 0.0), np.where(seen[:, None], diagonal, np.inf)


def _elsewhere(turn: float) -> float:
    share = min(abs(np.degrees(turn)) / views.TURNED_VIEW_DEG, 1.0)
    return float(share * share * (3.0 - 2.0 * share))


def _information(turns: Floats) -> Floats:
    """(v, 14, 3, 3) inverse error covariance of each view's bones in reference axes."""
    shares = [_elsewhere(turn) for turn in turns]
    found = []
    for turn, share in zip(turns, shares, strict=True):
        picture, depth = views._errors(turn)
        shared = share * (sum(shares) - share) * views.REFERENCE_DEPTH_M**2
        axis = views.depth_axis(turn)
        covariance = picture * np.eye(3) + (depth - picture) * np.outer(axis, axis)
        covariance += shared * np.diag([0.0, 0.0, 1.0])
        found.append(np.linalg.inv(covariance)[None] * (BONE_LENGTHS[:, None, None] ** 2 / 2.0))
    return np.stack(found)


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
    information = _information(turns)
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


def test_views_from_elsewhere_do_not_outvote_the_references_side_in_its_depth() -> None:
    """Two cameras that agreed on what the reference had guessed otherwise: good push-ups were all blamed."""
    turns = np.radians([0.0, -60.0, 80.0])
    shown = np.tile([1.0, 0.0, 0.0], (BONE_COUNT, 1))
    other = np.tile([np.cos(0.3), 0.0, np.sin(0.3)], (BONE_COUNT, 1))
    bones = np.stack((shown, views.turned(other, -turns[1]), views.turned(other, -turns[2])))

    def in_depth(*rows: int) -> float:
        seen = views.fused(bones[list(rows)], np.ones((len(rows), BONE_COUNT)), turns[list(rows)].tolist())
        return float(seen.features[2])

    assert in_depth(0) == 0.0
    assert 0.0 < in_depth(0, 1, 2) < 0.5 * np.sin(0.3)


def test_cameras_forget_where_they_saw_who_stood_once_they_lie() -> None:
    """Who lay down for push-ups was turned by a direction half of which was from standing, for three repetitions."""
    lying = _seen_from(0.0, np.array([1.0, 0.0, 0.0]))
    observer = Observer(0.0, feature_vectors(bone_vectors(lying.world_m)))

    def pair(angle: float, trunk: Floats) -> tuple[View, View]:
        return _seen_from(angle, trunk, "a"), _seen_from(angle, trunk, "b")

    for _ in range(60):
        observer.see(pair(-0.8, np.array([0.0, 1.0, 0.0])), 1 / 15, settled=True)
    assert not observer.from_reference("a")
    for _ in range(20):
        observer.see(pair(0.0, np.array([1.0, 0.0, 0.0])), 1 / 15, settled=True)
    assert observer.from_reference("a")
    for _ in range(60):
        observer.see(pair(-0.8, np.array([0.0, 1.0, 0.0])), 1 / 15, settled=True)
    assert observer.from_reference("a")


def _seen_from(angle: float, trunk: Floats, camera: str = "a") -> View:
    """Somebody whose hips and shoulders show this heading, their trunk (x, up, z) pointing where it is said."""
    world = np.random.default_rng(1).normal(size=(LANDMARKS, 3))
    across = 0.1 * np.array([np.cos(angle), 0.0, -np.sin(angle)])
    for left, right, at in (
        (Landmark.LEFT_HIP, Landmark.RIGHT_HIP, np.zeros(3)),
        (Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER, 0.5 * trunk * (1.0, -1.0, -1.0)),
    ):
        world[left], world[right] = at + across, at - across
    return View(camera, world[:, :2], world, np.ones(LANDMARKS))


def test_a_landmark_that_is_missing_spoils_only_the_bones_that_end_there() -> None:
    world = np.random.default_rng(1).normal(size=(4, LANDMARKS, 3))
    world[1, Landmark.LEFT_KNEE, 2] = np.nan
    world[2, Landmark.LEFT_KNEE] = np.inf
    world[3, Landmark.LEFT_HIP] = world[3, Landmark.LEFT_KNEE]
    missing = np.asarray(np.isnan(bone_vectors(world)).any(axis=-1))
    names = [{bone.name for bone, gone in zip(BONES, row, strict=True) if gone} for row in missing]
    assert names == [set(), {"left_thigh", "left_shin"}, {"left_thigh", "left_shin"}, {"left_thigh"}]
