"""How far apart the frames of one group may lie."""

from collections.abc import Sequence

from services.sync.frames import Frame

PAIR = 0.5
"""Tolerance for two cameras, as a share of the shortest period: each frame has one partner, however they run."""
SEVERAL = 0.6
"""Tolerance for more: real rigs said to be in step spread a little further (Caliscope's webcams: 19.5 ms of 33)."""
WIDE = 0.85
"""Tolerance for more than two cameras that run freely."""
FULL_SHARE_LOW = 0.5
SPREAD_SHARE_LOW = 0.35
SETTLE_GROUPS = 30


class Tolerance:
    """Widens for more than two cameras that run freely, and narrows when they do not."""

    def __init__(self) -> None:
        self._wide = False
        self._full_share = 1.0
        self._spread_us = 0.0
        self._since_change = 0

    def share(self, cameras: int) -> float:
        """Of the shortest period."""
        return WIDE if self._wide else SEVERAL if cameras > 2 else PAIR

    def learn(self, members: Sequence[Frame], lacking: int, period_us: int) -> None:
        """A group left with `members`; `lacking` cameras were there and are not in it."""
        present = len(members) + lacking
        if present < 3:
            return
        full = not lacking
        self._full_share += 0.05 * (full - self._full_share)
        if full:
            self._spread_us += 0.05 * (members[-1].time_us - members[0].time_us - self._spread_us)
        self._since_change += 1
        if self._since_change < SETTLE_GROUPS:
            return
        if not self._wide and self._full_share < FULL_SHARE_LOW:
            self._wide, self._since_change = True, 0
            self._spread_us = float(period_us)
        elif (
            self._wide
            and self._full_share > FULL_SHARE_LOW
            and (self._spread_us < SPREAD_SHARE_LOW * period_us)
        ):
            self._wide, self._since_change, self._full_share = False, 0, 1.0
