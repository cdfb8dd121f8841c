"""Whether a camera can see a landmark: bodies and things are drawn coarsely into a depth buffer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gym.camera import Camera
from gym.render import raster
from gym.render.renderer import Drawable

_COARSE = 0.25  # of the picture's resolution
# A joint lies inside its limb: it counts as seen while the surface before it is this near, metres.
_FLESH = np.array([0.04] * 11 + [0.13] * 2 + [0.08] * 2 + [0.06] * 8 + [0.15] * 2 + [0.10] * 2 + [0.08] * 6)


def visible(camera: Camera, drawables: Sequence[Drawable], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each landmark (33, 3), room metres: nothing but its own flesh lies between it and the camera."""
    width, height = (max(1, round(n * _COARSE)) for n in camera.size)
    nearest = np.zeros((height, width), np.float32)
    ids = np.full((height, width), -1, np.int32)
    k = camera.matrix
    lens = np.array([k[0, 0], k[1, 1], k[0, 2], k[1, 2], *camera.distortion], np.float32)
    first = 0
    for d in drawables:
        projected = np.empty_like(d.vertices)
        raster.project(
            d.vertices,
            camera.rotation.astype(np.float32),
            camera.translation.astype(np.float32),
            lens,
            _COARSE,
            projected,
        )
        raster.rasterise(projected, d.triangles, first, nearest, ids)
        first += len(d.triangles)
    pixels, depth = camera.project(points)
    column = np.clip(np.nan_to_num((pixels[:, 0] + 0.5) * _COARSE), 0, width - 1).astype(int)
    row = np.clip(np.nan_to_num((pixels[:, 1] + 0.5) * _COARSE), 0, height - 1).astype(int)
    before = nearest[row, column]
    surface = np.where(before > 0, 1 / np.maximum(before, 1e-6), np.inf)
    return np.asarray(surface > depth - _FLESH)
