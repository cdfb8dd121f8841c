"""What the landmark network's tensors say of the person in its square."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.pose.tracker import LANDMARKS

Floats = NDArray[np.float32]

SIZE = 256
"""Side of the square that goes in."""
AUXILIARY = 2
"""After the landmarks: the middle of the hips and the circle's rim, which say where to cut next."""
POINTS = LANDMARKS + AUXILIARY
HEATMAP = 64
"""Cells along the heatmap's side."""
OUTPUTS_BUT_MASK = ((195,), (1,), (HEATMAP, HEATMAP, 39), (117,))
"""Shapes of the landmarks, of the likelihood that there is a person, of the heatmap and of the world's landmarks."""
MASK = 2
"""Of the mask (or what stands in its place) among the outputs."""
LEAST_HEAT = 0.5
"""A landmark whose surroundings are nowhere so likely stays where the network put it."""
_REACH = 3
_NEAR = np.arange(-_REACH, _REACH + 1)
_POINT = np.arange(POINTS)[:, None, None]


@dataclass(frozen=True, slots=True)
class Square:
    """One person in the network's square."""

    points: Floats
    """(35, 3): 33 landmarks and two auxiliary points; x, y, z in shares of the side, from the top left."""
    visibility: Floats
    presence: Floats
    """(33,) both, 0 to 1."""
    world: Floats
    """(33, 3): metres from the middle of the hips, x to the square's right, y down, z away."""


def decode(landmarks: Floats, heatmap: Floats, world: Floats) -> Square:
    """From the tensors: (195,), (64, 64, 39) and (117,)."""
    rows = landmarks.reshape(-1, 5)[:POINTS]
    points = rows[:, :3] / np.float32(SIZE)
    points[:, :2] = _refined(points[:, :2], heatmap)
    likely: Floats = np.reciprocal(1 + np.exp(-rows[:LANDMARKS, 3:]))
    return Square(points, likely[:, 0], likely[:, 1], world.reshape(-1, 3)[:LANDMARKS].copy())


def _refined(points: Floats, heatmap: Floats) -> Floats:
    """Each point moved to the centre of the heat around it, (35, 2)."""
    cell = (points * HEATMAP).astype(np.int32)
    rows, columns = cell[:, 1, None] + _NEAR, cell[:, 0, None] + _NEAR
    in_rows, in_columns = (rows >= 0) & (rows < HEATMAP), (columns >= 0) & (columns < HEATMAP)
    raw = heatmap[
        np.clip(rows, 0, HEATMAP - 1)[:, :, None], np.clip(columns, 0, HEATMAP - 1)[:, None, :], _POINT
    ]
    heat = 1 / (1 + np.exp(-raw))
    heat *= in_rows[:, :, None] & in_columns[:, None, :]
    by_row, by_column = heat.sum(axis=2), heat.sum(axis=1)
    total = np.maximum(by_row.sum(axis=1), 1e-9)
    centre = (
        np.stack([(by_column * columns).sum(axis=1), (by_row * rows).sum(axis=1)], axis=1) / total[:, None]
    )
    inside = ((cell >= 0) & (cell < HEATMAP)).all(axis=1)
    hot = inside & (heat.max(axis=(1, 2)) >= LEAST_HEAT)
    return np.where(hot[:, None], centre / HEATMAP, points).astype(np.float32)
