"""The user's own ready pose: what the live position is measured from."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.live.following import Following
from services.scoring.movement.landmarks import Floats
from services.scoring.movement.views import Observed

NEAR_READY: Final = 1.1
"""Distance from the ready pose, in tolerances, up to which somebody stands ready; repetitions start and end there."""
READY_HOLD_S: Final = 0.5
"""The ready pose counts as taken up once held this long."""
SETTLING: Final = 0.1
"""Share by which the pose kept follows the one seen, a frame."""


class ReadyPose:
    """Held near the reference's; until then the reference's own."""

    def __init__(self, pose: Floats) -> None:
        self.pose = pose
        """(60,) features."""
        self._since = math.nan

    def push(self, time_s: float, seen: Observed, way: Following, still_s: float) -> None:
        """Takes one frame of somebody who has been still for `still_s`."""
        if way.detector.moving or way.from_ready(seen) > NEAR_READY:
            self._since = math.nan
            return
        if math.isnan(self._since):
            self._since = time_s
            self.pose = np.where(seen.known, seen.features, self.pose)
            way.warping.begin(0)
        if time_s - self._since <= READY_HOLD_S or still_s > READY_HOLD_S:
            self.pose = np.where(seen.known, self.pose + SETTLING * (seen.features - self.pose), self.pose)

    def forget(self) -> None:
        """Nobody is seen; the pose stands."""
        self._since = math.nan
