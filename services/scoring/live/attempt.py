"""Judges a whole recorded attempt as a live session would, frame by frame, without cameras.

Pure. The attempt goes through the same scorer as live sets do, so that its scores agree with what a camera would have
given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.judging.calibration import Calibration
from services.scoring.judging.score import Verdict
from services.scoring.live.outcome import CompletedRepetition, Notice, Outcome, State
from services.scoring.live.session import Rules, SessionScorer
from services.scoring.movement.features import ANGLES, angles_of
from services.scoring.movement.landmarks import Floats, Recording, SyncedViews
from services.scoring.movement.observer import Observer
from services.scoring.reference.preparation import LOW_FPS
from services.scoring.reference.template import Kind, Template

UNLIKE: Final = Notice(
    "unlike_reference",
    "두 영상의 동작이 서로 달라 보여요. 같은 운동을 찍은 영상인지 확인해 주세요.",
    "This does not look like the sample. Check that both videos show the same exercise.",
)
SLOW_FRAMES: Final = Notice(
    "low_frame_rate",
    "영상의 초당 프레임 수가 적어서 빠른 동작을 놓칠 수 있어요.",
    "The video has few frames a second; quick movements may be missed.",
)
_JUDGED: Final = (State.TRACKING, State.HOLD)


@dataclass(frozen=True, slots=True)
class Judged:
    """An attempt laid onto a reference."""

    frame_numbers: tuple[int, ...]
    """Of the attempt's video, of each frame looked at."""
    outcomes: tuple[Outcome, ...]
    """What is said of each of them."""
    attempt_degrees: Floats
    """(frames, 18) angles of the attempt; NaN where not seen."""
    sample_degrees: Floats
    """(frames, 18) angles of the reference at the frame laid onto it; NaN where none is."""
    notices: tuple[Notice, ...]

    @property
    def repetitions(self) -> tuple[CompletedRepetition, ...]:
        """Those completed, in order."""
        return tuple(one.completed for one in self.outcomes if one.completed is not None)

    @property
    def score(self) -> float:
        """Mean score of the repetitions; of the frames judged, for a hold. NaN if nothing could be scored."""
        if self.repetitions:
            return _mean([done.verdict.score for done in self.repetitions])
        return _mean(
            [one.score for one in self.outcomes if one.score is not None and one.state is State.HOLD]
        )

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """On each repetition."""
        return tuple(done.verdict for done in self.repetitions)


def judge_attempt(recording: Recording, template: Template, calibration: Calibration | None = None) -> Judged:
    """Feeds every frame to a session's scorer. The tempo is the person's own and does not count."""
    scorer = SessionScorer(template, calibration, Rules())
    observer = Observer(template.heading, template.ready)
    outcomes: list[Outcome] = []
    attempt = np.full((len(recording.times_s), len(ANGLES)), np.nan)
    before_s = math.nan
    found = recording.found
    for row, time_s in enumerate(recording.times_s):
        views = (recording.view(row, "attempt"),) if found[row] else ()
        outcomes.append(scorer.feed(SyncedViews(float(time_s), views)))
        dt = float(time_s) - before_s if math.isfinite(before_s) else 1.0 / max(recording.fps, 1.0)
        before_s = float(time_s)
        if views:
            seen = observer.see(views, dt, settled=outcomes[-1].state not in _JUDGED)
            known = seen.known[-len(ANGLES) :]
            attempt[row] = np.where(known, np.degrees(angles_of(seen.features)), np.nan)
    numbers = range(len(outcomes)) if recording.frame_numbers is None else recording.frame_numbers.tolist()
    judged = Judged(
        tuple(numbers), tuple(outcomes), attempt, _at_reference(outcomes, template), _notices(recording)
    )
    if _unlike(judged, template):
        return Judged(
            judged.frame_numbers, judged.outcomes, attempt, judged.sample_degrees, (*judged.notices, UNLIKE)
        )
    return judged


def _at_reference(outcomes: list[Outcome], template: Template) -> Floats:
    """(frames, 18) degrees of the template where each frame lies in it."""
    curves = np.degrees(angles_of(template.features))
    degrees = np.full((len(outcomes), len(ANGLES)), np.nan)
    for row, one in enumerate(outcomes):
        if one.reference_frame is not None and one.state in _JUDGED:
            at = float(np.interp(one.reference_frame, template.frames, np.arange(len(template.frames))))
            low, share = int(at), at - int(at)
            high = min(low + 1, len(curves) - 1)
            degrees[row] = (1.0 - share) * curves[low] + share * curves[high]
    return degrees


def _notices(recording: Recording) -> tuple[Notice, ...]:
    return (SLOW_FRAMES,) if recording.fps < LOW_FPS else ()


def _unlike(judged: Judged, template: Template) -> bool:
    """No repetition of a movement that repeats, or a pose that was never held."""
    if template.kind is Kind.HOLD:
        return not any(one.state is State.HOLD for one in judged.outcomes)
    return not judged.repetitions


def _mean(values: list[float]) -> float:
    good = [value for value in values if math.isfinite(value)]
    return float(np.mean(good)) if good else math.nan
