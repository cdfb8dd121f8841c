"""When to say: this does not look like the sample. Sure before it speaks, taken back as soon as it fits again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.scoring.live.outcome import CompletedRepetition, Notice
from services.scoring.movement.landmarks import Landmark, View
from services.scoring.reference.template import Kind, Template

ALIKE: Final = 0.7
"""Likeness from which a movement is the reference's, well or badly done. Measured on the virtual gym: the same exercise
with any fault 0.74 and more (but for the first push-up after lying down), another exercise mostly 0.62 and less."""
SUCCESSIVE: Final = 3
"""So many movements in a row that are unlike say it."""
BUSY_S: Final = 8.0
REPETITIONS: Final = 3.0
"""Movement in place for this long, and for so many of the reference's repetitions, without one that counts, says it."""
MOVING: Final = 0.5
"""Share of that time in which there is movement."""
STILL_S: Final = 3.0
"""Who stands still for this long has stopped."""
TRAVEL: Final = 1.5
"""Hips that go further than this many trunk lengths in the picture walk, which is no exercise …"""
LYING_TRAVEL: Final = 0.7
LYING_DOWN: Final = math.radians(50)
"""… and hips that go so far while the trunk turns by so much lie down or get up."""
UNLIKE: Final = Notice(
    "unlike_reference",
    "동작이 시범과 달라 보여요. 고른 운동이 맞는지 확인해 주세요.",
    "This does not look like the sample. Check that the right exercise is chosen.",
)
_TRUNK: Final = [Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER, Landmark.LEFT_HIP, Landmark.RIGHT_HIP]


class _Place(NamedTuple):
    """Where a camera sees the middle of the hips, pixels; how long and which way the trunk is there."""

    x: float
    y: float
    trunk: float
    angle: float


def is_alike(done: CompletedRepetition) -> bool:
    """Whether a movement that was counted looks like the reference's; if not, its faults are none of this exercise."""
    return not done.likeness < ALIKE


class LikenessWatch:
    """Watches whether what somebody does is the reference's movement at all. Poses that are held are not watched."""

    def __init__(self, template: Template) -> None:
        self._watches = template.kind is Kind.REPETITIONS
        self._enough_s = max(BUSY_S, REPETITIONS * template.duration_s)
        self._unlike = 0
        self._busy_s = self._since_s = 0.0
        self._still_s = 0.0
        self._places: dict[str, _Place] = {}

    def hear(self, done: CompletedRepetition) -> None:
        """Takes a movement that was counted."""
        self._begin_anew()
        self._unlike = 0 if is_alike(done) else self._unlike + 1

    def see(self, dt_s: float, views: Sequence[View], *, moving: bool) -> None:
        """Takes a frame."""
        self._still_s = 0.0 if moving else self._still_s + dt_s
        if self._still_s > STILL_S or self._travels(views):
            self._begin_anew()
        elif moving or self._busy_s:
            self._since_s += dt_s
            self._busy_s += dt_s if moving else 0.0

    def notice(self) -> Notice | None:
        """What stands now."""
        busy = self._since_s >= self._enough_s and self._busy_s >= MOVING * self._enough_s
        unlike = self._unlike >= SUCCESSIVE or busy
        return UNLIKE if self._watches and unlike else None

    def state(self) -> dict[str, Any]:
        """What a successor must know; plain JSON values."""
        return {"unlike": self._unlike}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another watch stopped."""
        self._unlike = int(state.get("unlike", 0))

    def _begin_anew(self) -> None:
        self._busy_s = self._since_s = 0.0
        self._places.clear()

    def _travels(self, views: Sequence[View]) -> bool:
        """Whether some camera sees the person walk, lie down or get up since they were first seen."""
        for view in views:
            # Plain numbers: as arrays these few took a twelfth of a frame's time.
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = view.image_px[_TRUNK].tolist()
            x, y = (cx + dx) / 2.0, (cy + dy) / 2.0
            up_x, up_y = (ax + bx) / 2.0 - x, (ay + by) / 2.0 - y
            if not math.isfinite(up_x + up_y):
                continue
            place = _Place(x, y, math.hypot(up_x, up_y), math.atan2(up_y, up_x))
            first = self._places.setdefault(view.camera_id, place)
            gone = math.hypot(x - first.x, y - first.y) / max(first.trunk, 1.0)
            turned = abs(math.remainder(place.angle - first.angle, math.tau))
            if gone > TRAVEL or (gone > LYING_TRAVEL and turned > LYING_DOWN):
                return True
        return False
