"""One person in three dimensions from several views.

With a calibration: confidence-weighted direct linear transformation (Hartley and Zisserman, ch. 12), leaving out the
camera or two that contradict the rest, as Pose2Sim does (Pagnon et al., Sensors 22:2712). Without one: the views' own
world landmarks, turned onto each other by the best rotation (Horn) and averaged by visibility.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from services.sync.calibration import CalibratedCamera

Array = NDArray[np.float64]
LEAST_CONFIDENCE = 0.3
MOST_ERROR_PX = 10.0
MOST_LEFT_OUT = 2


@dataclass(frozen=True)
class Fused:
    """World points (n, 3), metres, NaN where unknown; confidence (n,) 0 to 1.

    `reprojection_px` (n,): mean distance in the images, NaN where unknown; None when not triangulated.
    """

    world_m: Array
    confidence: Array
    reprojection_px: Array | None


def triangulate(
    cameras: Sequence[CalibratedCamera],
    points: Sequence[Array],
    confidences: Sequence[Array],
    *,
    most_error_px: float = MOST_ERROR_PX,
) -> Fused:
    """Points seen by `cameras` at `points` (each (n, 2), normalised and undistorted) with `confidences` (each (n,)).

    A point is taken from the largest set of cameras whose mean reprojection error stays below `most_error_px`, or, if
    there is none, from the best of the smallest sets.
    """
    count = len(points[0])
    seen = np.array([confidence >= LEAST_CONFIDENCE for confidence in confidences])
    weights = np.where(seen, np.array(confidences), 0.0)
    rows = [_rows(camera.projection, point) for camera, point in zip(cameras, points, strict=True)]
    world = np.full((count, 3), np.nan)
    error = np.full(count, np.inf)
    settled = seen.sum(axis=0) < 2
    for left_out in range(min(MOST_LEFT_OUT, len(cameras) - 2) + 1):
        for without in combinations(range(len(cameras)), left_out):
            kept = weights.copy()
            kept[list(without)] = 0.0
            # Leaving out a camera that did not see the point was tried with fewer left out.
            todo = ~settled & ((kept > 0).sum(axis=0) >= 2) & seen[list(without)].all(axis=0)
            if not todo.any():
                continue
            found, distance = _solve(cameras, rows, points, kept, todo)
            # Fewer cameras always fit better: they replace a larger set only while that one was unfit.
            better = distance < error[todo]
            chosen = np.flatnonzero(todo)[better]
            world[chosen], error[chosen] = found[better], distance[better]
        settled |= error <= most_error_px
    error[~np.isfinite(error)] = np.nan
    views = np.maximum(seen.sum(axis=0), 1)
    confidence = np.where(np.isfinite(error), weights.sum(axis=0) / views, 0.0)
    return Fused(world, np.minimum(confidence, 1.0), error)


def _rows(projection: Array, points: Array) -> Array:
    """(n, 2, 4): the two equations each observation puts on a point."""
    rows: Array = points[:, :, None] * projection[2] - projection[:2]
    return rows


def _solve(
    cameras: Sequence[CalibratedCamera],
    rows: list[Array],
    points: Sequence[Array],
    weights: Array,
    todo: NDArray[np.bool_],
) -> tuple[Array, Array]:
    """Points (m, 3) and their mean reprojection errors (m,), pixels, for the m points of `todo`."""
    normal = np.zeros((int(todo.sum()), 4, 4))
    for row, weight in zip(rows, weights, strict=True):
        weighted = row[todo] * weight[todo][:, None, None]
        normal += weighted.transpose(0, 2, 1) @ weighted
    homogeneous = np.linalg.eigh(normal)[1][:, :, 0]
    total, views = np.zeros(len(normal)), np.zeros(len(normal))
    for camera, point, weight in zip(cameras, points, weights, strict=True):
        there = homogeneous @ camera.projection.T
        distance = np.linalg.norm(there[:, :2] / there[:, 2:] - point[todo], axis=1) * camera.focal_px
        used = weight[todo] > 0
        total += np.where(used, distance, 0.0)
        views += used
    return homogeneous[:, :3] / homogeneous[:, 3:], total / np.maximum(views, 1)


def _horn(products: Array) -> Array:
    """(4, 4): Horn's matrix of the sums of products (3, 3) of source and target coordinates."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = products
    return np.array(
        [
            [xx + yy + zz, yz - zy, zx - xz, xy - yx],
            [yz - zy, xx - yy - zz, xy + yx, zx + xz],
            [zx - xz, xy + yx, -xx + yy - zz, yz + zy],
            [xy - yx, zx + xz, yz + zy, -xx - yy + zz],
        ]
    )


def _turn(squares: Array) -> Array:
    """(3, 3): what a row vector is multiplied with, from the products (4, 4) of a unit quaternion's parts."""
    (ww, wx, wy, wz), (_, xx, xy, xz), (_, _, yy, yz), (_, _, _, zz) = squares
    return np.array(
        [
            [ww + xx - yy - zz, 2 * (xy + wz), 2 * (xz - wy)],
            [2 * (xy - wz), ww - xx + yy - zz, 2 * (yz + wx)],
            [2 * (xz + wy), 2 * (yz - wx), ww - xx - yy + zz],
        ]
    )


# Both are linear: as matrices they take all views at once.
_HORN = np.array([_horn(unit).ravel() for unit in np.eye(9).reshape(9, 3, 3)])
_TURN = np.array([_turn(unit).ravel() for unit in np.eye(16).reshape(16, 4, 4)])


def average(worlds: Sequence[Array], visibilities: Sequence[Array]) -> Fused:
    """Mean of the views' own world landmarks (each (n, 3)), in the axes of the view that sees most, by visibility.

    Depth from one view is weak, and the views' axes differ: each is first turned onto the best view's.
    """
    world, visibility = np.array(worlds), np.array(visibilities)
    best = int(np.argmax(visibility.sum(axis=1)))
    weights = np.minimum(visibility, visibility[best])
    turned = world @ _rotations(world, world[best], weights)
    total = visibility.sum(axis=0)
    known = total > 1e-6
    mean = (turned * visibility[..., None]).sum(axis=0) / np.maximum(total, 1e-6)[:, None]
    return Fused(np.where(known[:, None], mean, np.nan), visibility.max(axis=0), None)


def _rotations(sources: Array, target: Array, weights: Array) -> Array:
    """(v, 3, 3): `sources[v] @ it` lies nearest to `target`, by weight; both from the middle of the hips.

    Horn's closed form: the quaternion is the eigenvector of the largest eigenvalue of a 4 x 4 matrix of sums of products
    (J. Opt. Soc. Am. A 4:629, 1987). Never a reflection, and two thirds of the time that a singular value decomposition takes.
    """
    products = (sources * weights[..., None]).swapaxes(1, 2) @ target
    quaternions = np.linalg.eigh((products.reshape(-1, 9) @ _HORN).reshape(-1, 4, 4))[1][..., -1]
    squares = (quaternions[:, :, None] * quaternions[:, None, :]).reshape(-1, 16)
    turns: Array = (squares @ _TURN).reshape(-1, 3, 3)
    return turns
