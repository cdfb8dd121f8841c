"""Kernels from triangles in the room to the nearest triangle of each pixel. P: projected, as is custom."""

import math

import numpy as np
from numpy.typing import NDArray

from gym.render.jit import kernel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@kernel
def project(vertices: F32, rotation: F32, translation: F32, lens: F32, scale: float, out: F32) -> None:
    """Pixels times `scale` and inverse depth (n, 3), 0 behind the camera.

    `lens` is fx, fy, cx, cy, k1, k2, p1, p2, k3; pixel (0, 0) is the middle of the first pixel, and
    the picture's corner comes out at 0.
    """
    fx, fy, cx, cy = lens[0], lens[1], lens[2], lens[3]
    k1, k2, p1, p2, k3 = lens[4], lens[5], lens[6], lens[7], lens[8]
    for i in range(vertices.shape[0]):
        X, Y, Z = vertices[i, 0], vertices[i, 1], vertices[i, 2]  # noqa: N806
        depth = rotation[2, 0] * X + rotation[2, 1] * Y + rotation[2, 2] * Z + translation[2]
        if depth < 0.15:
            out[i, 2] = 0
            continue
        x = (rotation[0, 0] * X + rotation[0, 1] * Y + rotation[0, 2] * Z + translation[0]) / depth
        y = (rotation[1, 0] * X + rotation[1, 1] * Y + rotation[1, 2] * Z + translation[1]) / depth
        r2 = min(x * x + y * y, np.float32(2.0))
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        out[i, 0] = (fx * u + cx + 0.5) * scale
        out[i, 1] = (fy * v + cy + 0.5) * scale
        out[i, 2] = 1 / depth


@kernel
def rasterise(P: F32, triangles: I32, first: int, nearest: F32, ids: I32) -> tuple[int, int, int, int]:  # noqa: N803
    """Fill inverse depth and triangle number (`first` + t) where a triangle is nearest.

    Returns left, right, top, bottom of what may have been touched.
    """
    height, width = nearest.shape
    bounds_l, bounds_r, bounds_t, bounds_b = width, -1, height, -1
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        za, zb, zc = P[a, 2], P[b, 2], P[c, 2]
        if za == 0 or zb == 0 or zc == 0:
            continue
        x0, y0, x1, y1, x2, y2 = P[a, 0], P[a, 1], P[b, 0], P[b, 1], P[c, 0], P[c, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area >= 0:  # faces away
            continue
        left = max(0, math.ceil(min(x0, x1, x2) - 0.5))
        right = min(width - 1, math.floor(max(x0, x1, x2) - 0.5))
        top = max(0, math.ceil(min(y0, y1, y2) - 0.5))
        bottom = min(height - 1, math.floor(max(y0, y1, y2) - 0.5))
        if left > right or top > bottom:
            continue
        bounds_l, bounds_r = min(bounds_l, left), max(bounds_r, right)
        bounds_t, bounds_b = min(bounds_t, top), max(bounds_b, bottom)
        inverse = 1 / area
        for y in range(top, bottom + 1):
            py = y + np.float32(0.5)
            for x in range(left, right + 1):
                px = x + np.float32(0.5)
                w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
                w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
                w2 = 1 - w0 - w1
                if w0 >= 0 and w1 >= 0 and w2 >= 0:
                    z = w0 * za + w1 * zb + w2 * zc
                    if z > nearest[y, x]:
                        nearest[y, x] = z
                        ids[y, x] = first + t
    return bounds_l, bounds_r, bounds_t, bounds_b
