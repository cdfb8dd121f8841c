"""The square that is cut around a person: a region of interest, turned so that the body stands upright in it."""

import math
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

# Workers are as many as cores: what OpenCV would hand to threads of its own only gets in their way.
cv2.setNumThreads(1)

ROOM = 1.25
"""Side of the square by the diameter of the circle around the body: arms go beyond it."""


@dataclass(frozen=True, slots=True)
class Region:
    """A turned square in an image's pixels, origin top left, y down."""

    x: float
    y: float
    """Its centre."""
    side: float
    turn: float
    """Radians, clockwise as one sees it: the direction in the image that is the square's own right."""

    def to_image(self, points: Floats) -> Floats:
        """Points of the square, (n, 2) in shares of its side from its top left, as pixels of the image."""
        cos, sin = math.cos(self.turn) * self.side, math.sin(self.turn) * self.side
        x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
        placed = np.empty((len(points), 2), np.float32)
        placed[:, 0] = cos * x - sin * y + self.x
        placed[:, 1] = sin * x + cos * y + self.y
        return placed

    def overlap(self, other: Self) -> float:
        """Intersection over union of two regions, as if neither were turned."""
        reach = (self.side + other.side) / 2
        across = min(reach - abs(self.x - other.x), self.side, other.side)
        down = min(reach - abs(self.y - other.y), self.side, other.side)
        common = max(across, 0.0) * max(down, 0.0)
        union = self.side**2 + other.side**2 - common
        return common / union if union > 0 else 0.0

    def cut(self, image: Pixels, size: int) -> Pixels:
        """The square as (size, size, 3), bilinear; black where it goes beyond the image."""
        step = self.side / size
        cos, sin, half = math.cos(self.turn) * step, math.sin(self.turn) * step, size / 2
        to_image = np.array(
            [[cos, -sin, self.x - (cos - sin) * half], [sin, cos, self.y - (sin + cos) * half]]
        )
        square: Pixels = cv2.warpAffine(  # type: ignore[assignment]  # its stubs know arrays of any kind only
            image, to_image, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        return square


def whole(width: int, height: int) -> Region:
    """The square around a whole image."""
    return Region(width / 2, height / 2, max(width, height), 0.0)


def around(hips: Floats, rim: Floats) -> Region:
    """The region of a body by two points in pixels, (2,) each.

    `hips` is the middle of the hips, `rim` lies on the circle around the whole body, straight above the hips when the
    body is upright in the square.
    """
    across, down = float(rim[0] - hips[0]), float(rim[1] - hips[1])
    turn = math.atan2(across, -down)
    return Region(float(hips[0]), float(hips[1]), 2 * math.hypot(across, down) * ROOM, turn)
