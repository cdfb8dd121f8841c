"""From what 1..N cameras saw to one feature vector, with how well each feature is known.

Every feature lives in the axes of the camera that made the reference ("reference axes"): x to its picture's right, y up,
z towards it. A view from elsewhere is turned about the vertical by the difference of headings. One camera knows
directions within its picture well and depth badly, so each view's bones enter with an anisotropic variance; two views at
an angle complete each other, and a view from the reference's own side is compared in its picture only, which is all it
can be trusted with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.features import (
    ANGLES,
    BONE,
    BONE_LENGTHS,
    FEATURES,
    bone_vectors,
    bone_visibility,
    joint_angles,
)
from services.scoring.movement.landmarks import Bools, Floats, View
from services.scoring.movement.pictures import Sight

Indices = NDArray[np.int64]

IN_PICTURE_M: Final = 0.015
"""Standard error of a landmark within the picture, metres."""
DEPTH_M: Final = 0.030
"""Standard error in depth against a reference seen from the same side. MediaPipe guesses depth from one view, and much of
its error is a bias of that view, which the reference then shares."""
TURNED_PICTURE_M: Final = 0.030
TURNED_DEPTH_M: Final = 0.060
"""The same for views from elsewhere: the bias is another, and the headings are uncertain."""
REFERENCE_DEPTH_M: Final = 0.060
"""What the reference's one camera guessed wrong in depth. Views from elsewhere do not share it, but all differ by it: it is
within the figures above for one of them, and is no better known from several, which outvoted the reference's own side."""
OUTLIER: Final = 3.0
"""A view this many standard errors from the others counts half (Cauchy weights): trackers swap sides now and then."""
ROBUST_PASSES: Final = 2
VISIBLE: Final = 0.5
"""Landmarks less visible than this are hidden, not guessed."""
SAME_VIEW_DEG: Final = 20.0
"""Closer headings than this count as one view: estimating the difference would add more error than it takes away."""
TURNED_VIEW_DEG: Final = 35.0
"""From this difference on the estimated heading is believed in full."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The person at one instant, fused from all views, in reference axes."""

    features: Floats
    """(60,) see `features.feature_vectors`; 0 where unknown."""
    variance: Floats
    """(60,) error variance of each feature, rad² (bones: of a unit vector's component); infinite where unknown."""
    sights: tuple[Sight, ...] = ()
    """What each camera's own picture showed."""
    known: Bools = field(init=False)
    """(60,) features that were seen."""

    def __post_init__(self) -> None:
        """Once, as it is asked for a dozen times a frame."""
        object.__setattr__(self, "known", np.isfinite(self.variance))


UNSEEN: Final = Observed(np.zeros(FEATURES), np.full(FEATURES, np.inf))
"""Nobody."""


def heading(bones: Floats) -> Floats:
    """Direction (…) the person is seen from, radians: 0 their front, pi/2 their left side, pi their back.

    From hips and shoulders together, which run from right to left.
    """
    across = bones[..., BONE["hips"], :] + bones[..., BONE["shoulders"], :]
    out: Floats = np.arctan2(across[..., 2], across[..., 0])
    return out


def mean_heading(headings: Floats) -> float:
    """Circular mean of headings, NaN left out; NaN if there is none."""
    good = headings[np.isfinite(headings)]
    if not len(good):
        return math.nan
    return float(np.arctan2(np.sin(good).mean(), np.cos(good).mean()))


def turn_between(user_heading: float, reference_heading: float) -> float:
    """Angle to turn the user's view by to reach the reference's, radians.

    0 where the two are one view or a heading is unknown; eased in between, since a jump would show in the score.
    """
    turn = math.remainder(reference_heading - user_heading, 2 * math.pi)
    if not math.isfinite(turn):
        return 0.0
    share = (abs(math.degrees(turn)) - SAME_VIEW_DEG) / (TURNED_VIEW_DEG - SAME_VIEW_DEG)
    return turn * _eased(share)


@numba.njit(cache=True, nogil=True)
def _eased(share: float) -> float:
    """0 below 0, 1 above 1, smooth between."""
    bounded = min(max(share, 0.0), 1.0)
    return bounded * bounded * (3.0 - 2.0 * bounded)


def turned(bones: Floats, turn: float) -> Floats:
    """Bones (…, 3) turned about the vertical, so that a heading h becomes h + turn."""
    if turn == 0.0:
        return bones
    cos, sin = math.cos(turn), math.sin(turn)
    out: Floats = bones @ np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    return out


def depth_axis(turn: float) -> Floats:
    """(3,) direction of a view's depth in reference axes."""
    return np.array([-math.sin(turn), 0.0, math.cos(turn)])


@numba.njit(cache=True, nogil=True)
def _errors(turn: float) -> tuple[float, float]:
    """Error variance of landmarks within the picture and in depth, m², of a view turned by so much."""
    share = _eased(abs(turn) / math.radians(TURNED_VIEW_DEG))
    picture = IN_PICTURE_M + share * (TURNED_PICTURE_M - IN_PICTURE_M)
    depth = DEPTH_M + share * (TURNED_DEPTH_M - DEPTH_M)
    return picture**2, depth**2


def bone_variance(turn: float) -> Floats:
    """(14, 3) error variance of the components of the bones of one fully visible view, in reference axes."""
    picture, depth = _errors(turn)
    shape = picture + (depth - picture) * depth_axis(turn) ** 2
    variance: Floats = 2.0 * shape[None] / BONE_LENGTHS[:, None] ** 2
    return variance


_FIRST: Final = np.array([angle.first for angle in ANGLES])
_SECOND: Final = np.array([angle.second if angle.second >= 0 else angle.first for angle in ANGLES])
_ONE_BONE: Final = np.array([angle.second < 0 for angle in ANGLES])
_SURE: Final = BONE_LENGTHS**2 / 2.0
"""(14,) what turns the information of a landmark into that of a bone's direction, which has two ends."""


def angle_variance(bone_component_variance: Floats) -> Floats:
    """Error variance (…, 18) of angles from that of bone components (…, 14, 3), as if spread evenly over directions."""
    spread = bone_component_variance.mean(axis=-1)
    out: Floats = spread[..., _FIRST] + np.where(_ONE_BONE, 0.0, spread[..., _SECOND])
    return out


def fuse(views: tuple[View, ...], turns: Sequence[float]) -> Observed:
    """One observation from several views, each turned by its `turns` radians into reference axes, see `fused`."""
    if not views:
        return UNSEEN
    bones = bone_vectors(np.stack([view.world_m for view in views]))
    return fused(bones, bone_visibility(np.stack([view.visibility for view in views])), turns)


def fused(bones: Floats, visible: Floats, turns: Sequence[float], sights: tuple[Sight, ...] = ()) -> Observed:
    """One observation from the bones (v, 14, 3) of several views, each visible (v, 14) so far.

    Bones are averaged with the inverse of their covariance, widened by low visibility, and once more with less weight for
    views that disagree with the rest. A bone no view shows is unknown.
    """
    mean, spread = _mean_of_views(bones, visible, np.array(turns, dtype=np.float64), _SURE)
    return observed(mean, spread, sights)


# Compiled loops, since as arrays they took ten times as long. What belongs to other modules is handed in: compiled code is
# kept on disk, and a change elsewhere would not be noticed there.
@numba.njit(cache=True, nogil=True)
def _mean_of_views(bones: Floats, visible: Floats, turns: Floats, sure: Floats) -> tuple[Floats, Floats]:
    """As `_robust_mean`, of bones (v, 14, 3) in each view's own axes; `sure` (14) is what a metre's error is to a bone."""
    views, count = visible.shape
    weight = np.zeros((views, count))
    shape = np.zeros((views, 3, 3))
    there = np.zeros((views, count, 3))
    elsewhere = np.empty(views)
    for v in range(views):
        elsewhere[v] = _eased(abs(turns[v]) / math.radians(TURNED_VIEW_DEG))
    together = elsewhere.sum()
    for v in range(views):
        cos, sin = math.cos(turns[v]), math.sin(turns[v])
        picture, depth = _errors(turns[v])
        # Independent views with (n - 1) times the shared error more have the mean of n views that share it.
        shared = elsewhere[v] * (together - elsewhere[v]) * REFERENCE_DEPTH_M**2
        more = depth - picture
        xx, xz, zz = picture + more * sin * sin, -more * sin * cos, picture + more * cos * cos + shared
        scale = 1.0 / (xx * zz - xz * xz)
        shape[v, 0, 0], shape[v, 1, 1], shape[v, 2, 2] = scale * zz, 1.0 / picture, scale * xx
        shape[v, 0, 2] = shape[v, 2, 0] = -scale * xz
        for b in range(count):
            x, y, z = bones[v, b, 0], bones[v, b, 1], bones[v, b, 2]
            if visible[v, b] >= VISIBLE and math.isfinite(x + y + z):
                weight[v, b] = visible[v, b] ** 2 * sure[b]
                there[v, b, 0], there[v, b, 1], there[v, b, 2] = x * cos - z * sin, y, x * sin + z * cos
    return _robust_mean(there, weight, shape, ROBUST_PASSES if views > 1 else 0)


@numba.njit(cache=True, nogil=True)
def _robust_mean(bones: Floats, weight: Floats, shape: Floats, passes: int) -> tuple[Floats, Floats]:
    """Mean (14, 3) of unit vectors (v, 14, 3) by their weight (v, 14) times what each view is sure of (v, 3, 3), brought
    back to unit length, and the variance (14, 3) of its components.
    """
    views, count = weight.shape
    mean = np.zeros((count, 3))
    variance = np.full((count, 3), np.inf)
    trust = np.empty(views)
    for b in range(count):
        trust[:] = 1.0
        for turn in range(passes + 1):
            xx = xy = xz = yy = yz = zz = px = py = pz = 0.0
            for v in range(views):
                sure = shape[v]
                x, y, z = bones[v, b, 0], bones[v, b, 1], bones[v, b, 2]
                if turn > 0:
                    gx, gy, gz = x - mean[b, 0], y - mean[b, 1], z - mean[b, 2]
                    squared = gx * (sure[0, 0] * gx + 2.0 * (sure[0, 1] * gy + sure[0, 2] * gz))
                    squared += gy * (sure[1, 1] * gy + 2.0 * sure[1, 2] * gz) + gz * sure[2, 2] * gz
                    trust[v] = 1.0 / (1.0 + weight[v, b] * squared / OUTLIER**2)
                share = weight[v, b] * trust[v]
                xx += share * sure[0, 0]
                xy += share * sure[0, 1]
                xz += share * sure[0, 2]
                yy += share * sure[1, 1]
                yz += share * sure[1, 2]
                zz += share * sure[2, 2]
                px += share * (sure[0, 0] * x + sure[0, 1] * y + sure[0, 2] * z)
                py += share * (sure[0, 1] * x + sure[1, 1] * y + sure[1, 2] * z)
                pz += share * (sure[0, 2] * x + sure[1, 2] * y + sure[2, 2] * z)
            if yy <= 0.0:
                break  # no view shows it
            # Inverse of the symmetric sum, by its cofactors.
            cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
            cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
            scale = 1.0 / (xx * cxx + xy * cxy + xz * cxz)
            x = scale * (cxx * px + cxy * py + cxz * pz)
            y = scale * (cxy * px + cyy * py + cyz * pz)
            z = scale * (cxz * px + cyz * py + czz * pz)
            length = max(math.sqrt(x * x + y * y + z * z), 1e-6)
            mean[b, 0], mean[b, 1], mean[b, 2] = x / length, y / length, z / length
            variance[b, 0], variance[b, 1], variance[b, 2] = scale * cxx, scale * cyy, scale * czz
    return mean, variance


def observed(bones: Floats, component_variance: Floats, sights: tuple[Sight, ...] = ()) -> Observed:
    """An observation from fused bones (14, 3) and the variance of their components; infinite variance is unknown."""
    angles = joint_angles(bones)
    return Observed(*_observed(bones, component_variance, angles, _FIRST, _SECOND, _ONE_BONE), sights)


@numba.njit(cache=True, nogil=True)
def _observed(
    bones: Floats, spread: Floats, angles: Floats, first: Indices, second: Indices, one_bone: Bools
) -> tuple[Floats, Floats]:
    """Features (60,) and their variance (60,), see `angle_variance`."""
    count, most = len(bones), len(angles)
    features, variance = np.zeros(3 * count + most), np.full(3 * count + most, np.inf)
    evenly = np.empty(count)
    for b in range(count):
        evenly[b] = (spread[b, 0] + spread[b, 1] + spread[b, 2]) / 3.0
        for axis in range(3):
            if spread[b, axis] < np.inf:
                features[3 * b + axis], variance[3 * b + axis] = bones[b, axis], spread[b, axis]
    for k in range(most):
        of = evenly[first[k]] + (0.0 if one_bone[k] else evenly[second[k]])
        if of < np.inf:
            features[3 * count + k], variance[3 * count + k] = angles[k], of
    return features, variance
