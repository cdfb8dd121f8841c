"""Which movements out and back are repetitions of the reference, either way round."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.scoring.judging.comparison import Comparison, compare
from services.scoring.judging.likeness import whole_likeness
from services.scoring.judging.memory import Clip, Memory
from services.scoring.live.following import Following
from services.scoring.live.ready import NEAR_READY
from services.scoring.live.repetitions import Cycle
from services.scoring.movement.features import bones_of
from services.scoring.movement.views import Observed, heading
from services.scoring.reference.mirror import one_sided, other_way_round
from services.scoring.reference.template import Kind, Template

EXPLAINED: Final = 0.2
"""Share of the reference's movement a cycle must explain to be a repetition of it …"""
ALIKE: Final = 0.7
"""… or else how like it its shape must be (cosine), whatever its size: who goes further than the sample repeats it too."""
CUT_EXPLAINED: Final = 0.5
"""What the way back alone must explain, where no more was seen: people also stand up from chairs."""
MIRROR_GAIN: Final = 0.15
"""The mirror image must explain this much more before a performance is taken as mirrored."""
TURNED_ROUND: Final = math.radians(60)
"""Somebody who turns by more than this from start to end walks about, or the tracker has lost them."""
SHORTEST: Final = 0.3
LONGEST: Final = 5.0
"""A repetition lasts between these multiples of the reference's."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A repetition that is over."""

    way: Following
    cycle: Cycle
    clip: Clip
    comparison: Comparison


class Counting:
    """Follows the reference as shown and, where it is one-sided, its mirror image; asks both about every movement."""

    def __init__(self, template: Template, *, allow_mirror: bool) -> None:
        self.ways = [Following(template)]
        """The one that is followed first."""
        if allow_mirror and template.kind is Kind.REPETITIONS and one_sided(template):
            self.ways.append(Following(other_way_round(template)))
        self.last_end_s = -math.inf
        """When the newest repetition was over."""
        self._memory = Memory()

    @property
    def way(self) -> Following:
        """The way round that is followed."""
        return self.ways[0]

    def remember(self, time_s: float, seen: Observed) -> None:
        """Keeps a frame, for when its repetition is over."""
        self._memory.push(time_s, seen)

    def push(self, time_s: float, seen: Observed) -> Finished | None:
        """Takes one remembered frame; returns the repetition it completes."""
        cycles = [(way, cycle) for way in self.ways if (cycle := way.push(time_s, seen)) is not None]
        moving = [way for way in self.ways if way.detector.moving]
        if len(moving) == 1:
            self._lead(moving[0])
        best: tuple[float, Finished, Following] | None = None
        for source, cycle in cycles:
            # Either way round may have moved first on its own axis; both are asked about what moved.
            for way in self.ways:
                finished = self._finished(way, cycle)
                if finished is None:
                    continue
                worth = finished.comparison.explained - (MIRROR_GAIN if way is not self.way else 0.0)
                if _repeats(finished, way.template) and (best is None or worth > best[0]):
                    best = worth, finished, source
        if best is None:
            return None
        _, done, source = best
        if done.way is not source and done.way.detector.reach > done.cycle.height:
            # What one axis shows of a larger movement along the other begins late and ends early: that is waited for.
            return None
        done.way.detector.accepted(done.cycle)
        self._lead(done.way)
        self.last_end_s = done.cycle.end_s
        return done

    def _lead(self, way: Following) -> None:
        """From now on this way round is followed, until a movement speaks for the other: lunges change legs."""
        if way is not self.way:
            self.ways.sort(key=lambda one: one is not way)
            way.warping.begin(0)

    def _finished(self, way: Following, cycle: Cycle) -> Finished | None:
        """Looks at a finished cycle as a whole; None if it can be no repetition."""
        length = 2 * (cycle.end_s - cycle.peak_s) if cycle.cut else cycle.end_s - cycle.start_s
        usual = way.template.duration_s
        if not SHORTEST * usual <= length <= LONGEST * usual or cycle.start_s < self.last_end_s - 0.1:
            return None
        if cycle.cut and not way.template.returns:
            return None
        clip = self._memory.clip(cycle.peak_s if cycle.cut else cycle.start_s, cycle.end_s)
        if clip is not None and cycle.cut:
            # The way out is taken to have been the way back.
            both = np.concatenate((clip.features[::-1], clip.features[1:]))
            clip = replace(clip, features=both, pictures=())
        if clip is None or not _from_ready_to_ready(way, clip):
            return None
        return Finished(way, cycle, clip, compare(clip, way.template))


def _repeats(finished: Finished, template: Template) -> bool:
    """It is the reference's movement, well done or badly."""
    comparison = finished.comparison
    if finished.cycle.cut:
        return comparison.explained >= CUT_EXPLAINED
    if comparison.explained >= EXPLAINED:
        return True
    return whole_likeness(comparison, template) >= ALIKE


def _from_ready_to_ready(way: Following, clip: Clip) -> bool:
    """Both ends lie near the ready pose, facing the same way; a movement that does not return need only begin there."""
    if way.template.returns:
        start, end = heading(bones_of(clip.features[[0, -1]]))
        if abs(math.remainder(end - start, 2 * math.pi)) > TURNED_ROUND:
            return False
    ends = (0, -1) if way.template.returns else (0,)
    variance = np.where(clip.known, 0.0, np.inf)
    return all(way.from_ready(Observed(clip.features[end], variance)) <= NEAR_READY for end in ends)
