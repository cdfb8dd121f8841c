"""How well the person's outline covers the reference's, where a camera stands where the reference's stood.

An explanation to look at, no part of the score: clothes and build count in it as much as the movement does.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from services.scoring.movement.landmarks import View
from services.scoring.movement.observer import Observer
from services.scoring.movement.outline import cells, hips_and_trunk, outline_of, overlap
from services.scoring.reference.template import Template

SIZE_S: Final = 1.0
"""Time constant of how large a camera shows the person."""
FORESHORTENED: Final = 0.5
"""Trunks shown shorter than this share of their usual length tell no size: they point at the camera."""
REMEMBERED: Final = 3600
"""Frames, for the mean of a repetition."""


class OutlineOverlap:
    """Follows one session; without outlines in the reference or in the frames it knows nothing."""

    def __init__(self, template: Template) -> None:
        self._outlines = template.outlines
        self._trunks = hips_and_trunk(template.ghost)[1]
        self._heading = template.heading
        self._sizes: dict[str, float] = {}
        self._seen: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)

    def see(
        self,
        time_s: float,
        dt: float,
        views: tuple[View, ...],
        observer: Observer,
        row: int,
        *,
        mirrored: bool,
    ) -> float | None:
        """Intersection over union with row `row` of the reference; None: not known."""
        if not len(self._outlines) or not self._outlines[row].any():
            return None
        masked = [view for view in views if view.mask is not None and observer.from_reference(view.camera_id)]
        flip = self._flips() if mirrored else False
        if not masked or flip is None:
            return None
        view = masked[0]
        hips, trunk = hips_and_trunk(view.image_px)
        size = self._size(view.camera_id, float(trunk), row, dt)
        outline = outline_of(view.mask, hips, size) if view.mask is not None else None
        if outline is None:
            return None
        share = overlap(outline.mirrored() if flip else outline, cells(self._outlines[row]))
        if not math.isfinite(share):
            return None
        self._seen.append((time_s, share))
        return share

    def mean(self, start_s: float, end_s: float) -> float | None:
        """Of a stretch of the session's time; None: nothing is known of it."""
        within = [share for time_s, share in self._seen if start_s <= time_s <= end_s]
        return sum(within) / len(within) if within else None

    def _size(self, camera_id: str, trunk_px: float, row: int, dt: float) -> float:
        """Usual length of the person's trunk in this camera's picture, pixels; NaN: not known yet.

        The trunk of the moment is as foreshortened as the reference's is in the same row.
        """
        known = self._sizes.get(camera_id, math.nan)
        shown = float(self._trunks[row])
        if not (math.isfinite(trunk_px) and shown >= FORESHORTENED):
            return known
        now = trunk_px / shown
        share = 1.0 - math.exp(-dt / SIZE_S) if math.isfinite(known) else 1.0
        self._sizes[camera_id] = now if share == 1.0 else known + share * (now - known)
        return self._sizes[camera_id]

    def _flips(self) -> bool | None:
        """Whether the mirror image of the movement is the mirror image of its picture: from front and back it is, from
        the side it is the picture itself; None: from between, where it is neither.
        """
        if abs(math.sin(self._heading)) < 0.5:
            return True
        return False if abs(math.cos(self._heading)) < 0.5 else None
