"""Rotations in the room's frame: x to the subject's left, y backwards, z up; angles in degrees."""

import math

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

DOWN = np.array([0.0, 0.0, -1.0])
FORWARD = np.array([0.0, -1.0, 0.0])


def unit(v: Vector) -> Vector:
    """`v` (3,) scaled to length one."""
    return v / math.sqrt(float(v @ v))


def about_x(degrees: float) -> Matrix:
    """Positive leans an upright body forwards."""
    c, s = _cos_sin(degrees)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def about_y(degrees: float) -> Matrix:
    """Positive leans an upright body to its left."""
    c, s = _cos_sin(degrees)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def about_z(degrees: float) -> Matrix:
    """Positive turns a body to its left."""
    c, s = _cos_sin(degrees)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def about(axis: Vector, degrees: float) -> Matrix:
    """Rotation about a unit `axis` (3,), right-handed (Rodrigues)."""
    c, s = _cos_sin(degrees)
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return c * np.eye(3) + s * cross + (1 - c) * np.outer(axis, axis)


def frame(direction: Vector, pole: Vector) -> Matrix:
    """Orthonormal columns (p, d × p, d): d along `direction`, p the part of `pole` square to it."""
    d = unit(direction)
    p = unit(pole - d * float(pole @ d))
    x, y, z = d
    u, v, w = p
    return np.array([[u, y * w - z * v, x], [v, z * u - x * w, y], [w, x * v - y * u, z]])


def angle(u: Vector, v: Vector) -> float:
    """Angle between two vectors, 0 to 180 degrees."""
    cosine = float(u @ v) / math.sqrt(float(u @ u) * float(v @ v))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def slerp(a: Matrix, b: Matrix, share: float) -> Matrix:
    """The rotation `share` of the way from `a` to `b` along the shortest turn."""
    turn = a.T @ b
    cosine = max(-1.0, min(1.0, (float(np.trace(turn)) - 1) / 2))
    whole = math.degrees(math.acos(cosine))
    axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    length = float(np.linalg.norm(axis))
    if whole < 1e-6 or length < 1e-9:
        return a if share < 0.5 else b
    return a @ about(axis / length, whole * share)


def _cos_sin(degrees: float) -> tuple[float, float]:
    radians = math.radians(degrees)
    return math.cos(radians), math.sin(radians)
