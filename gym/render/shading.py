"""Kernels that give pixels their colour, and lay them over the empty room."""

import math

import numpy as np
from numpy.typing import NDArray

from gym.render.jit import kernel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


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
