"""Finds the repetitions of a reference in a recording, as a live session would count them."""

from __future__ import annotations

import math

import numpy as np

from services.scoring.judging.examples import Example
from services.scoring.live.counting import Counting
from services.scoring.movement.landmarks import Recording
from services.scoring.movement.observer import Observer
from services.scoring.reference.template import Template


def examples_in(recording: Recording, template: Template, person: str, *, correct: bool) -> list[Example]:
    """Its repetitions, the same way round as the reference's: a calibration knows left from right."""
    counting = Counting(template, allow_mirror=False)
    observer = Observer(template.heading, template.ready)
    found: list[Example] = []
    before_s = math.nan
    for row in np.flatnonzero(recording.found).tolist():
        time_s = float(recording.times_s[row])
        dt = time_s - before_s if math.isfinite(before_s) else 1.0 / max(recording.fps, 1.0)
        before_s = time_s
        seen = observer.see((recording.view(row),), dt, settled=not counting.way.detector.moving)
        counting.remember(time_s, seen)
        finished = counting.push(time_s, seen)
        if finished is not None:
            found.append(Example(finished.clip, correct, person))
    return found
