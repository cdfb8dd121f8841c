"""Kernels that bend a mesh: skinning and normals. Arrays are float32 unless said."""

import math

import numpy as np
from numpy.typing import NDArray

from gym.render.jit import kernel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


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
