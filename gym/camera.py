"""Calibrated cameras: the pinhole model with Brown-Conrady distortion, as OpenCV has it.

Room frame: metres, x to the right of the front camera's picture, y away from it, z up. A person at
the origin faces the front camera, so +x is their left. Camera frame: x right, y down, z ahead.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gym.rotation import Matrix, Vector, unit

Floats = NDArray[np.float64]

VIEWS = {"front": 0.0, "left": 90.0, "side": 90.0, "back": 180.0, "right": 270.0, "three-quarter": 45.0}


@dataclass(frozen=True)
class Camera:
    """Intrinsics in pixels, extrinsics from room to camera, distortion (k1, k2, p1, p2, k3)."""

    name: str
    size: tuple[int, int]  # width, height, pixels
    matrix: Matrix  # (3, 3)
    rotation: Matrix  # (3, 3), room to camera
    translation: Vector  # (3,), metres
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def position(self) -> Vector:
        """In the room, metres (3,)."""
        return np.asarray(-self.rotation.T @ self.translation)

    @property
    def projection(self) -> Floats:
        """K [R | t] (3, 4): room to undistorted pixels."""
        return np.asarray(self.matrix @ np.hstack([self.rotation, self.translation[:, None]]))

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixels (..., 2) and depth in metres (...) of room points (..., 3).

        Pixel (0, 0) is the middle of the first pixel, as in OpenCV. Points at or behind the camera
        come out as NaN.
        """
        seen = points @ self.rotation.T + self.translation
        depth = seen[..., 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            x, y = seen[..., 0] / depth, seen[..., 1] / depth
        k1, k2, p1, p2, k3 = self.distortion
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        k = self.matrix
        pixels = np.stack([k[0, 0] * u + k[0, 2], k[1, 1] * v + k[1, 2]], axis=-1)
        return np.where((depth > 1e-6)[..., None], pixels, np.nan), np.asarray(depth)

    def contains(self, pixels: Floats) -> NDArray[np.bool_]:
        """Whether pixels (..., 2) fall inside the picture."""
        width, height = self.size
        x, y = pixels[..., 0], pixels[..., 1]
        return np.asarray((x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5))


def looking(
    name: str,
    position: Vector,
    at: Vector,
    *,
    size: tuple[int, int] = (640, 480),
    focal: float | None = None,
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0),
) -> Camera:
    """A level camera at `position` looking at a point; `focal` in pixels (default: about 60° across)."""
    width, height = size
    f = focal if focal is not None else 0.875 * width
    ahead = unit(at - position)
    right = unit(np.cross(ahead, [0.0, 0.0, 1.0]))
    rotation = np.stack([right, np.cross(ahead, right), ahead])
    matrix = np.array([[f, 0.0, (width - 1) / 2], [0.0, f, (height - 1) / 2], [0.0, 0.0, 1.0]])
    return Camera(name, size, matrix, rotation, -rotation @ position, distortion)


def around(
    azimuth: float,
    *,
    name: str | None = None,
    distance: float = 3.4,
    height: float = 1.15,
    look_height: float = 0.88,
    size: tuple[int, int] = (640, 480),
    focal: float | None = None,
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0),
) -> Camera:
    """A camera on a circle round the origin: 0° sees the front, 90° the subject's left side. Metres."""
    a = math.radians(azimuth)
    position = np.array([distance * math.sin(a), -distance * math.cos(a), height])
    return looking(
        name or f"{azimuth:g}",
        position,
        np.array([0.0, 0.0, look_height]),
        size=size,
        focal=focal,
        distortion=distortion,
    )


def azimuth_of(view: str) -> float:
    """Degrees of a named view, or of a number written out.

    Raises:
        ValueError: neither.
    """
    if view in VIEWS:
        return VIEWS[view]
    try:
        return float(view) % 360
    except ValueError:
        raise ValueError(
            f"view {view!r}: use {', '.join(VIEWS)} or degrees round the person (0 = front)"
        ) from None
