"""Kernels for light and shadow: how open the air is, what the key light reaches, what falls on the floor."""

import math

import numpy as np
from numpy.typing import NDArray

from gym.render.jit import kernel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@kernel
def fill_air(vertices: F32, low: F32, cell: float, grid: F32, scratch: F32) -> None:
    """Splat a body into a voxel grid of `cell` metres from `low`, and blur it, so that no voxel's edge shows."""
    gx, gy, gz = grid.shape
    scratch[:] = 0
    for i in range(vertices.shape[0]):
        x = int((vertices[i, 0] - low[0]) / cell)
        y = int((vertices[i, 1] - low[1]) / cell)
        z = int((vertices[i, 2] - low[2]) / cell)
        if 0 <= x < gx and 0 <= y < gy and 0 <= z < gz:
            scratch[x, y, z] = 1
    for x in range(1, gx - 1):
        for y in range(1, gy - 1):
            for z in range(gz):
                across = (
                    scratch[x - 1, y, z] + scratch[x + 1, y, z] + scratch[x, y - 1, z] + scratch[x, y + 1, z]
                )
                grid[x, y, z] = 0.4 * scratch[x, y, z] + 0.15 * across


@kernel
def fullness(grid: F32, x: float, y: float, z: float) -> float:
    """How full the air is at a place in voxels, between voxel middles."""
    gx, gy, gz = grid.shape
    i, j, k = int(x), int(y), int(z)
    if i < 1 or j < 1 or k < 1 or i >= gx - 2 or j >= gy - 2 or k >= gz - 2:
        return 0.0
    u, v, w = x - i, y - j, z - k
    total = 0.0
    for di in range(2):
        wi = u if di else 1 - u
        for dj in range(2):
            wj = v if dj else 1 - v
            for dk in range(2):
                total += grid[i + di, j + dj, k + dk] * wi * wj * (w if dk else 1 - w)
    return total


@kernel
def occlusion(vertices: F32, normal: F32, low: F32, cell: float, grid: F32, out: F32) -> None:
    """Ambient light that reaches each vertex, 0.4..1: less the fuller the air along its normal."""
    for i in range(vertices.shape[0]):
        shut = 0.0
        for k in range(3):
            reach = 0.05 + 0.055 * k
            z = vertices[i, 2] + normal[i, 2] * reach
            if z < 0:
                shut += 0.30 / (k + 1)
                continue
            x = vertices[i, 0] + normal[i, 0] * reach
            y = vertices[i, 1] + normal[i, 1] * reach
            full = fullness(
                grid, (x - low[0]) / cell - 0.5, (y - low[1]) / cell - 0.5, (z - low[2]) / cell - 0.5
            )
            shut += 0.62 * full / (k + 1)
        out[i] = max(0.4, 1 - shut)


@kernel
def depth_from_light(
    vertices: F32, triangles: I32, light: F32, centre_x: float, centre_y: float, half: float, out: F32
) -> None:
    """Shadow map: nearest depth along the light, orthographic, over 2·half metres a side."""
    size = out.shape[0]
    scale = size / (2 * half)
    out[:] = 1e9
    n = vertices.shape[0]
    P = np.empty((n, 3), np.float32)  # noqa: N806
    for i in range(n):
        for k in range(3):
            P[i, k] = (
                light[k, 0] * vertices[i, 0] + light[k, 1] * vertices[i, 1] + light[k, 2] * vertices[i, 2]
            )
        P[i, 0] = (P[i, 0] - centre_x + half) * scale
        P[i, 1] = (P[i, 1] - centre_y + half) * scale
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = P[a, 0], P[a, 1], P[b, 0], P[b, 1], P[c, 0], P[c, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0:
            continue
        inverse = 1 / area
        left = max(0, math.ceil(min(x0, x1, x2) - 0.5))
        right = min(size - 1, math.floor(max(x0, x1, x2) - 0.5))
        top = max(0, math.ceil(min(y0, y1, y2) - 0.5))
        bottom = min(size - 1, math.floor(max(y0, y1, y2) - 0.5))
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x + 0.5, y + 0.5
                w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
                w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
                w2 = 1 - w0 - w1
                if w0 >= -1e-3 and w1 >= -1e-3 and w2 >= -1e-3:
                    z = w0 * P[a, 2] + w1 * P[b, 2] + w2 * P[c, 2]
                    out[y, x] = min(z, out[y, x])


@kernel
def cast(
    vertices: F32, light_x: float, light_y: float, half: float, low: float, shade_out: F32, near: F32
) -> None:
    """Splat vertices along the light onto the floor, and those within `low` metres of it straight down."""
    size = shade_out.shape[0]
    scale = size / (2 * half)
    for i in range(vertices.shape[0]):
        z = vertices[i, 2]
        u = int((vertices[i, 0] - light_x * z + half) * scale)
        v = int((vertices[i, 1] - light_y * z + half) * scale)
        if 0 <= u < size and 0 <= v < size:
            shade_out[v, u] = 1
        if z < low:
            u = int((vertices[i, 0] + half) * scale)
            v = int((vertices[i, 1] + half) * scale)
            if 0 <= u < size and 0 <= v < size:
                near[v, u] = 1
