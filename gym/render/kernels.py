"""The inner loops. Arrays are float32 unless said; names in capitals follow graphics custom (P: projected)."""

import math

import numpy as np
from numpy.typing import NDArray

from gym.render.jit import kernel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


@kernel
def skin(rest: F32, bones: I32, weights: F32, rotations: F32, shifts: F32, out: F32) -> None:
    """Linear blend skinning: each vertex (n, 3) carried by up to four bones."""
    for i in range(rest.shape[0]):
        a, b, c = rest[i, 0], rest[i, 1], rest[i, 2]
        x = np.float32(0)
        y = np.float32(0)
        z = np.float32(0)
        for k in range(4):
            w = weights[i, k]
            if w > 0:
                m = bones[i, k]
                x += w * (
                    rotations[m, 0, 0] * a + rotations[m, 0, 1] * b + rotations[m, 0, 2] * c + shifts[m, 0]
                )
                y += w * (
                    rotations[m, 1, 0] * a + rotations[m, 1, 1] * b + rotations[m, 1, 2] * c + shifts[m, 1]
                )
                z += w * (
                    rotations[m, 2, 0] * a + rotations[m, 2, 1] * b + rotations[m, 2, 2] * c + shifts[m, 2]
                )
        out[i, 0] = x
        out[i, 1] = y
        out[i, 2] = z


@kernel
def normals(vertices: F32, triangles: I32, out: F32) -> None:
    """Unit vertex normals, weighted by area."""
    out[:] = 0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in range(3):
            q = triangles[t, k]
            out[q, 0] += nx
            out[q, 1] += ny
            out[q, 2] += nz
    for i in range(vertices.shape[0]):
        length = math.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + 1e-12
        out[i, 0] /= length
        out[i, 1] /= length
        out[i, 2] /= length


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


@kernel
def shade(
    P: F32,  # noqa: N803
    vertices: F32,
    normal: F32,
    colours: F32,
    triangles: I32,
    first: int,
    ids: I32,
    bounds: tuple[int, int, int, int],
    open_sky: F32,
    ahead: F32,
    light: F32,
    shadow: F32,
    shadow_place: tuple[float, float, float],
    ambient: float,
    key: float,
    out: F32,
) -> None:
    """Colour the pixels of one mesh: soft sky light, a key light with its shadow, a rim towards the camera."""
    size = shadow.shape[0]
    centre_x, centre_y, half = shadow_place
    scale = size / (2 * half)
    last = first + triangles.shape[0]
    left, right, top, bottom = bounds
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            q = ids[y, x]
            if q < first or q >= last:
                continue
            a, b, c = triangles[q - first, 0], triangles[q - first, 1], triangles[q - first, 2]
            x0, y0, x1, y1, x2, y2 = P[a, 0], P[a, 1], P[b, 0], P[b, 1], P[c, 0], P[c, 1]
            inverse = 1 / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
            px, py = x + np.float32(0.5), y + np.float32(0.5)
            w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
            w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
            w2 = 1 - w0 - w1
            w0, w1, w2 = w0 * P[a, 2], w1 * P[b, 2], w2 * P[c, 2]
            s = 1 / (w0 + w1 + w2)
            w0, w1, w2 = w0 * s, w1 * s, w2 * s
            nx = w0 * normal[a, 0] + w1 * normal[b, 0] + w2 * normal[c, 0]
            ny = w0 * normal[a, 1] + w1 * normal[b, 1] + w2 * normal[c, 1]
            nz = w0 * normal[a, 2] + w1 * normal[b, 2] + w2 * normal[c, 2]
            s = 1 / (math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9)
            nx, ny, nz = nx * s, ny * s, nz * s
            facing = max(0.0, -(nx * light[2, 0] + ny * light[2, 1] + nz * light[2, 2]))
            lit = 0.0
            if facing > 0:
                # The point is lifted off the surface along its normal, so that it does not shade itself.
                X = w0 * vertices[a, 0] + w1 * vertices[b, 0] + w2 * vertices[c, 0] + 0.015 * nx  # noqa: N806
                Y = w0 * vertices[a, 1] + w1 * vertices[b, 1] + w2 * vertices[c, 1] + 0.015 * ny  # noqa: N806
                Z = w0 * vertices[a, 2] + w1 * vertices[b, 2] + w2 * vertices[c, 2] + 0.015 * nz  # noqa: N806
                u = (light[0, 0] * X + light[0, 1] * Y + light[0, 2] * Z - centre_x + half) * scale
                v = (light[1, 0] * X + light[1, 1] * Y + light[1, 2] * Z - centre_y + half) * scale
                depth = light[2, 0] * X + light[2, 1] * Y + light[2, 2] * Z - 0.012
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        i, j = int(v) + dy, int(u) + dx
                        if i < 0 or j < 0 or i >= size or j >= size or shadow[i, j] > depth:
                            lit += 1 / 9
                lit *= facing
            sky = 0.66 + 0.34 * nz
            rim = max(0.0, -(nx * ahead[0] + ny * ahead[1] + nz * ahead[2]))
            air = open_sky[a] * w0 + open_sky[b] * w1 + open_sky[c] * w2
            strength = air * (ambient * sky + 0.16 * rim) + key * lit
            for k in range(3):
                out[y, x, k] = (w0 * colours[a, k] + w1 * colours[b, k] + w2 * colours[c, k]) * strength


@kernel
def compose(
    background: F32,
    floor: F32,
    dim: F32,
    dim_half: float,
    ids: I32,
    drawn: F32,
    samples: int,
    noise: F32,
    noise_y: int,
    noise_x: int,
    gain: float,
    out: U8,
) -> None:
    """Background with shadows on its floor, the drawn pixels averaged over it, exposure, sensor noise.

    `floor` (h, w, 2): room x and y of each pixel's floor point, NaN where no floor shows. `dim` is a
    square of light lost, over 2·dim_half metres. `ids` and `drawn` are `samples` times larger.
    """
    height, width = out.shape[0], out.shape[1]
    size = dim.shape[0]
    scale = size / (2 * dim_half)
    share = np.float32(1 / (samples * samples))
    for y in range(height):
        for x in range(width):
            covered = 0
            r, g, b = np.float32(0), np.float32(0), np.float32(0)
            for i in range(y * samples, (y + 1) * samples):
                for j in range(x * samples, (x + 1) * samples):
                    if ids[i, j] >= 0:
                        covered += 1
                        r += drawn[i, j, 0]
                        g += drawn[i, j, 1]
                        b += drawn[i, j, 2]
            seen = 1 - covered * share
            if seen > 0:
                fx = floor[y, x, 0]
                if fx == fx:
                    u = (fx + dim_half) * scale - 0.5
                    v = (floor[y, x, 1] + dim_half) * scale - 0.5
                    if u > 0 and v > 0 and u < size - 1 and v < size - 1:
                        i, j = int(v), int(u)
                        p, q = v - i, u - j
                        lost = (1 - p) * ((1 - q) * dim[i, j] + q * dim[i, j + 1])
                        lost += p * ((1 - q) * dim[i + 1, j] + q * dim[i + 1, j + 1])
                        seen *= 1 - lost
            grey = noise[noise_y + y, noise_x + x]
            for k in range(3):
                ink = r if k == 0 else (g if k == 1 else b)
                value = (background[y, x, k] * seen + ink * share) * gain
                # Colour noise: the grey field read elsewhere.
                value += grey + np.float32(0.5) * noise[noise_y + y, noise_x + ((x + 17 * k + 9) % width)]
                out[y, x, k] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


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
