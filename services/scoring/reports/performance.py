"""One performance as it goes on: what a report tells, kept up to date frame by frame.

Pure. What grows with the performance (repetitions, cues, points of the timeline) is handed out once by `fresh`, to be
appended where it is kept; the rest is a small `state`. Together they carry a performance over a restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from services.scoring.live.outcome import Advice, CompletedRepetition, Outcome, State
from services.scoring.movement.joints import JointError
from services.scoring.reference.template import Phase
from services.scoring.reports.timeline import Point, Timeline
from services.scoring.reports.trend import Effort, fatigue, trend

BEGINS_S: Final = 1.0
"""Movement along the reference that lasts this long, or a repetition, begins a performance: passing by does not."""
STILL_S: Final = 15 * 60.0
"""A performance is over once nothing has moved along the reference for this long."""
GAP_S: Final = 0.5
"""Frames further apart than this leave unknown what happened in between."""
KEPT_REPETITIONS: Final = 1000
TOP_ERRORS: Final = 10
PARTS: Final = ("form", "range", "tempo", "symmetry", "stability")


@dataclass(frozen=True, slots=True)
class TopError:
    """An error that came up over a performance."""

    joint: str
    phase: Phase
    """In which it came up most often."""
    degrees: float
    """Mean signed difference where it came up."""
    severity: float
    """Mean severity where it came up."""
    repetitions: int


@dataclass(frozen=True, slots=True)
class GivenCue:
    """A cue, when it was given."""

    offset_s: float
    advice: Advice


@dataclass(slots=True)
class Fresh:
    """What has been added since it was last asked."""

    repetitions: list[CompletedRepetition] = field(default_factory=list)
    cues: list[GivenCue] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    anew: bool = False
    """`points` are all there are: those before count no more."""


class Performance:
    """From the first movement along a reference until nothing has moved for a quarter of an hour."""

    def __init__(self) -> None:
        self.start_s = math.nan
        """When it began, on the session's clock; NaN: it has not."""
        self.latest_s = math.nan
        """The newest instant."""
        self.active_until_s = math.nan
        """When somebody last moved along the reference."""
        self.active_s = 0.0
        self.timeline = Timeline()
        self.repetitions = 0
        self._onset_s = math.nan
        self._sums: dict[str, list[float]] = {}
        self._best = math.nan
        self._efforts: list[Effort] = []
        self._errors: dict[str, _Recurring] = {}
        self._last_cue = ""
        self._fresh = Fresh()
        self._trend = self._fatigue = math.nan

    @property
    def begun(self) -> bool:
        """Whether there is anything to report."""
        return not math.isnan(self.start_s)

    def is_over(self, time_s: float) -> bool:
        """Whether what comes at this instant belongs to another performance."""
        return self.begun and time_s - self.active_until_s > STILL_S

    def feed(self, outcome: Outcome) -> None:
        """Takes what was said of one frame; later than the one before."""
        active = outcome.state in (State.TRACKING, State.HOLD)
        if not self.begun and not self._begins(outcome, active):
            return
        since = outcome.time_s - self.latest_s
        seconds = since if since <= GAP_S else 0.0
        self.latest_s = outcome.time_s
        if active:
            self.active_s += seconds
        if active or outcome.completed is not None:
            self.active_until_s = outcome.time_s
        self._note_course(outcome, seconds)
        self._note_cue(outcome)
        if outcome.completed is not None:
            self._note_repetition(outcome.completed)

    @property
    def has_news(self) -> bool:
        """A repetition or a cue is among what was added since `fresh` was last asked."""
        return bool(self._fresh.repetitions or self._fresh.cues)

    def fresh(self) -> Fresh:
        """What was added since the last call."""
        fresh, self._fresh = self._fresh, Fresh()
        return fresh

    # ------------------------------------------------------------ figures

    def mean(self, what: str) -> float:
        """Mean of the repetitions' `score` or a part of it, or of the `course`, 0 to 100; NaN: nothing known."""
        count, total = self._sums.get(what, (0.0, 0.0))
        return total / count if count else math.nan

    @property
    def mean_score(self) -> float:
        """Mean score of the repetitions, or of the timeline where there are none; NaN: nothing scored."""
        return self.mean("score") if self.repetitions else self.mean("course")

    @property
    def best_score(self) -> float:
        """Best score of a repetition; NaN: none scored."""
        return self._best

    @property
    def trend(self) -> float:
        """See `trend.trend`; over the last repetitions that are kept."""
        return self._trend

    @property
    def fatigue(self) -> float:
        """See `trend.fatigue`."""
        return self._fatigue

    def top_errors(self) -> list[TopError]:
        """What went wrong most, and most often; worst first."""
        worst = sorted(self._errors.items(), key=lambda item: -item[1].severity)
        return [error.named(key[:-1]) for key, error in worst[:TOP_ERRORS]]

    # ------------------------------------------------------------ carrying over

    def state(self) -> dict[str, Any]:
        """All but what grows; plain JSON values."""
        return {
            "start_s": self.start_s,
            "latest_s": self.latest_s,
            "active_until_s": self.active_until_s,
            "active_s": self.active_s,
            "repetitions": self.repetitions,
            "best": _or_none(self._best),
            "trend": _or_none(self._trend),
            "fatigue": _or_none(self._fatigue),
            "sums": self._sums,
            "errors": {key: error.state() for key, error in self._errors.items()},
            "last_cue": self._last_cue,
            "step_s": self.timeline.step_s,
            "current": [
                self.timeline.current.scored_s,
                self.timeline.current.score_s,
                *self.timeline.current.seconds,
            ],
        }

    @classmethod
    def restored(cls, state: dict[str, Any], points: list[Point], efforts: list[Effort]) -> Performance:
        """A performance that another has kept up to here; `efforts` are those of the repetitions kept."""
        one = cls()
        one.start_s, one.latest_s = state["start_s"], state["latest_s"]
        one.active_until_s, one.active_s = state["active_until_s"], state["active_s"]
        one.repetitions = state["repetitions"]
        one._best, one._trend, one._fatigue = (_or_nan(state[key]) for key in ("best", "trend", "fatigue"))
        one._sums = {key: list(value) for key, value in state["sums"].items()}
        one._errors = {key: _Recurring.restored(value) for key, value in state["errors"].items()}
        one._last_cue = state["last_cue"]
        one.timeline = Timeline(points, state["step_s"])
        scored_s, score_s, *seconds = state["current"]
        one.timeline.current = Point(scored_s, score_s, tuple(seconds))
        one._efforts = efforts
        return one

    # ------------------------------------------------------------ noting

    def _begins(self, outcome: Outcome, active: bool) -> bool:
        if outcome.completed is not None:
            self._begin(outcome.completed.start_s, outcome.time_s, State.TRACKING)
        elif not active:
            self._onset_s = math.nan
        elif math.isnan(self._onset_s):
            self._onset_s = outcome.time_s
        elif outcome.time_s - self._onset_s >= BEGINS_S:
            self._begin(self._onset_s, outcome.time_s, outcome.state)
        return self.begun

    def _begin(self, start_s: float, time_s: float, state: State) -> None:
        self.start_s = start_s
        self.latest_s = self.active_until_s = time_s
        self.active_s = time_s - start_s
        self.timeline.add(0.0, self.active_s, state, None)

    def _note_course(self, outcome: Outcome, seconds: float) -> None:
        score = outcome.score if outcome.score is not None and math.isfinite(outcome.score) else None
        count, anew = self.timeline.add(outcome.time_s - self.start_s, seconds, outcome.state, score)
        if anew:
            self._fresh.points, self._fresh.anew = [], True
        if count:
            self._fresh.points += self.timeline.points[-count:]
        if score is not None and seconds:
            self._add("course", score, seconds)

    def _note_cue(self, outcome: Outcome) -> None:
        cue = outcome.advice
        if cue is None:
            return
        named = f"{cue.code}/{cue.repetition}"
        if named != self._last_cue:
            self._last_cue = named
            self._fresh.cues.append(GivenCue(outcome.time_s - self.start_s, cue))

    def _note_repetition(self, done: CompletedRepetition) -> None:
        self.repetitions += 1
        self._fresh.repetitions.append(done)
        verdict = done.verdict
        if math.isfinite(verdict.score):
            self._add("score", verdict.score)
            self._best = max(verdict.score, self._best) if math.isfinite(self._best) else verdict.score
        for part in PARTS:
            value = getattr(verdict, part)
            if math.isfinite(value):
                self._add(part, value)
        self._efforts.append(effort_of(done))
        del self._efforts[:-KEPT_REPETITIONS]
        self._trend = trend([one.score for one in self._efforts])
        self._fatigue = fatigue(self._efforts)
        for error in done.joint_errors:
            if error.severity >= 1.0:
                key = error.joint + ("-" if error.degrees < 0 else "+")
                self._errors.setdefault(key, _Recurring()).add(error, done.worst_phase)

    def _add(self, what: str, value: float, weight: float = 1.0) -> None:
        sums = self._sums.setdefault(what, [0.0, 0.0])
        sums[0] += weight
        sums[1] += weight * value


class _Recurring:
    """One joint's error in one direction, wherever it came up."""

    def __init__(self) -> None:
        self.count = 0
        self.degrees = 0.0
        self.severity = 0.0
        self.phases: dict[str, int] = {}

    def add(self, error: JointError, phase: Phase) -> None:
        self.count += 1
        self.degrees += error.degrees
        self.severity += error.severity
        self.phases[phase.name] = self.phases.get(phase.name, 0) + 1

    def named(self, joint: str) -> TopError:
        phase = Phase[max(self.phases, key=lambda name: self.phases[name])]
        return TopError(joint, phase, self.degrees / self.count, self.severity / self.count, self.count)

    def state(self) -> list[Any]:
        return [self.count, self.degrees, self.severity, self.phases]

    @classmethod
    def restored(cls, state: list[Any]) -> _Recurring:
        one = cls()
        one.count, one.degrees, one.severity, one.phases = state[0], state[1], state[2], dict(state[3])
        return one


def effort_of(done: CompletedRepetition) -> Effort:
    """What a repetition says of the strength left."""
    return Effort(done.verdict.score, done.verdict.range_of_motion, done.end_s - done.start_s)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)
