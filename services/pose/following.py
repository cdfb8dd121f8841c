"""Which of several persons in a frame is the one to follow."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def follow(persons: list[Floats], followed: Floats | None) -> tuple[int, bool]:
    """Index of the person to follow among `persons`, each (33, 2) in pixels, and whether it is whom it was before.

    The one whose box overlaps most with the person followed before; the largest where none does: somebody walking
    through in front does not take over.
    """
    if len(persons) == 1:
        return 0, followed is not None
    boxes = [_box(points) for points in persons]
    if followed is not None:
        before = _box(followed)
        overlaps = [_overlap(box, before) for box in boxes]
        if max(overlaps) > 0:
            return int(np.argmax(overlaps)), True
    return int(np.argmax([_area(box) for box in boxes])), False


def _box(points: Floats) -> Floats:
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _area(box: Floats) -> float:
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))


def _overlap(a: Floats, b: Floats) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    common = _area(np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])]))
    union = _area(a) + _area(b) - common
    return common / union if union > 0 else 0.0
