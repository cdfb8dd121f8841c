"""Where persons are: what the detector's two tensors say.

Liu et al., "SSD: Single Shot MultiBox Detector" (2016): each anchor, a place in a grid over the image, says how sure it is
of a person there and where the person's box and key points lie from it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIZE = 224
"""Side of the image that goes in."""
GRIDS = ((28, 2), (14, 2), (7, 6))
"""Cells along a side, and anchors in each cell."""
OUTPUTS = ((2254, 12), (2254, 1))
"""Shapes of the boxes and of the scores."""
LEAST_SCORE = 0.5
MOST_OVERLAP = 0.3
"""Intersection over union from which two boxes are the same person's."""
_CLIP = 80.0
_HIPS, _RIM = 4, 6
"""Columns of the key points used, after those of the box."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One person, in shares of the square that was looked at, from its top left."""

    score: float
    hips: Floats
    """(2,) the middle of the hips."""
    rim: Floats
    """(2,) on the circle around the body."""


def _anchors() -> Floats:
    """The anchors' centres, (2254, 2), in the order of the detector's rows."""
    cells = []
    for count, each in GRIDS:
        y, x = np.mgrid[0:count, 0:count]
        centres = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) / count
        cells.append(np.repeat(centres, each, axis=0))
    return np.concatenate(cells).astype(np.float32)


ANCHORS = _anchors()


def persons(boxes: Floats, scores: Floats) -> list[Detection]:
    """Whom the detector saw, the surest first.

    `boxes` (2254, 12): x, y of the centre, width, height and four key points, pixels of the square from the anchor;
    `scores` (2254,) before the sigmoid.
    """
    likelihood = 1 / (1 + np.exp(-np.clip(scores, -_CLIP, _CLIP)))
    sure = np.flatnonzero(likelihood >= LEAST_SCORE)
    rows: Floats = boxes[sure] / np.float32(SIZE)
    rows[:, :2] += ANCHORS[sure]
    rows[:, 4:] += np.tile(ANCHORS[sure], 4)
    weight = likelihood[sure]
    left = np.argsort(-weight, kind="stable")
    found = []
    while len(left):
        same = _overlaps(rows[left[0]], rows[left]) > MOST_OVERLAP
        same[0] = True
        # What several anchors say of one person is averaged by how sure they are.
        group = left[same]
        merged = np.average(rows[group], axis=0, weights=weight[group]).astype(np.float32)
        found.append(Detection(float(weight[left[0]]), merged[_HIPS:_RIM], merged[_RIM : _RIM + 2]))
        left = left[~same]
    return found


def _overlaps(one: Floats, others: Floats) -> Floats:
    """Intersection over union of boxes by centre and size, (n,)."""
    low = np.maximum(one[:2] - one[2:4] / 2, others[:, :2] - others[:, 2:4] / 2)
    high = np.minimum(one[:2] + one[2:4] / 2, others[:, :2] + others[:, 2:4] / 2)
    common = np.prod(np.maximum(high - low, 0), axis=1)
    union = np.prod(one[2:4]) + np.prod(others[:, 2:4], axis=1) - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float32)
