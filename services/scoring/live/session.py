"""Scores one session: feed it synced sets, get what is to be said of each.

Pure: the clock is the sets' own, nothing is stored elsewhere. `state` and `restore` carry it over a restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from services.scoring.advice.coach import Coach
from services.scoring.advice.safety import SafetyWatch
from services.scoring.judging.calibration import Calibration, defaults
from services.scoring.judging.comparison import Comparison, compare
from services.scoring.judging.faults import repetition_errors
from services.scoring.judging.localisation import Usual, residuals
from services.scoring.judging.memory import Clip, Memory
from services.scoring.judging.score import Verdict, judge
from services.scoring.live.following import Following, Moment
from services.scoring.live.outcome import CompletedRepetition, Outcome, State
from services.scoring.live.repetitions import Cycle
from services.scoring.movement.features import bones_of
from services.scoring.movement.joints import JointError, joint_errors
from services.scoring.movement.landmarks import Floats, SyncedViews
from services.scoring.movement.observer import Observer
from services.scoring.movement.views import Observed, heading
from services.scoring.reference.mirror import mirror_image, one_sided
from services.scoring.reference.template import RATE_HZ, Kind, Phase, Template
from services.scoring.reference.tolerance import tolerances

VISIBLE_SHARE: Final = 0.5
"""Share of what counts that must be seen, else the person is not visible."""
EXPLAINED: Final = 0.2
"""Share of the reference's movement a cycle must explain to be a repetition of it."""
NEAR_READY: Final = 1.1
"""Distance from the ready pose, in tolerances, up to which somebody stands ready; repetitions start and end there."""
READY_HOLD_S: Final = 0.5
"""The ready pose counts as taken up once held this long."""
STILL: Final = 0.12
"""Share of the reference's usual speed below which somebody is still."""
TURNED_ROUND: Final = math.radians(60)
"""Somebody who turns by more than this from start to end walks about, or the tracker has lost them."""
SHORTEST: Final = 0.3
LONGEST: Final = 5.0
"""A repetition lasts between these multiples of the reference's."""
LOST_DEVIATION: Final = 0.75
"""Frame deviation from which the live position is not believed …"""
LOST_S: Final = 0.7
"""… if it lasts this long."""
REST_S: Final = 4.0
"""Standing by for this long after a repetition is rest."""
SCORE_S: Final = 1.0
"""Time constant of the live score."""
PASSES: Final = 70.0
"""Repetitions that score this much tell what is usual for the user, and so no fault."""
MIRROR_GAIN: Final = 0.15
"""The mirror image must explain this much more before a performance is taken as mirrored."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a session is to be scored."""

    video_leads: bool = False
    """The user keeps pace with the playing video, so tempo enters the score."""
    allow_mirror: bool = True
    """The movement may be performed the other way round."""
    target_repetitions: int = 0
    """Done after this many; 0: never."""


class SessionScorer:
    """Compares a session with one template."""

    def __init__(
        self, template: Template, calibration: Calibration | None = None, rules: Rules | None = None
    ):
        self.template = template
        self._calibration = calibration or defaults(template)
        self._rules = rules or Rules()
        self._ways = [Following(template)]
        if self._rules.allow_mirror and template.kind is Kind.REPETITIONS and one_sided(template):
            self._ways.append(Following(mirror_image(template)))
        self._memory = Memory()
        self._coach = Coach(template.exercise, template.duration_s)
        self._safety = SafetyWatch()
        self._observer = Observer(template.heading)
        self._ready = template.ready
        self._ready_since = math.nan
        self._time = math.nan
        self._before: Floats | None = None
        self._speed = 0.0
        self._still_since = math.nan
        self._off_since = math.nan
        self._last_end = -math.inf
        self._live = math.nan
        self._count = 0
        self._latest: Verdict | None = None
        self._usual_speed = _usual_speed(template)

    @property
    def repetitions(self) -> int:
        """Repetitions completed."""
        return self._count

    def state(self) -> dict[str, Any]:
        """What a successor must know so that nothing is counted twice; plain JSON values."""
        usual = {self._side(way): way.usual.state for way in self._ways if way.usual.count.any()}
        return {"count": self._count, "last_end_s": self._last_end if self._count else None, "usual": usual}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up where another scorer of this session stopped."""
        self._count = int(state.get("count", 0))
        last = state.get("last_end_s")
        self._last_end = -math.inf if last is None else float(last)
        usual = state.get("usual", {})
        for way in self._ways:
            way.usual = Usual.of(usual.get(self._side(way)))

    def _side(self, way: Following) -> str:
        return "as_shown" if way.template is self.template else "mirrored"

    def feed(self, synced: SyncedViews) -> Outcome:
        """Takes one synced set, later than the one before; returns what is to be said of it."""
        time_s = synced.time_s
        dt = time_s - self._time if math.isfinite(self._time) else 1.0 / RATE_HZ
        dt = min(max(dt, 1e-3), 1.0)
        self._time = time_s
        seen = self._observer.see(synced.views, dt, settled=not self._ways[0].detector.moving)
        if not self._visible(seen):
            return self._nobody(time_s)
        self._note_motion(time_s, dt, seen)
        self._memory.push(time_s, seen)
        if self.template.kind is Kind.HOLD:
            return self._feed_hold(time_s, dt, seen)
        completed = self._count_cycles(time_s, seen)
        self._note_ready(time_s, seen)
        moment = self._ways[0].place(seen, self._ready, dt)
        state = self._state_of(time_s, moment)
        return self._outcome(time_s, dt, state, moment, completed)

    # ------------------------------------------------------------ seeing

    def _visible(self, seen: Observed) -> bool:
        weight = self._ways[0].tolerances.weight
        return bool(weight[seen.known].sum() >= VISIBLE_SHARE * weight.sum())

    def _nobody(self, time_s: float) -> Outcome:
        self._before = None
        self._ready_since = self._still_since = self._off_since = math.nan
        return Outcome(
            time_s,
            State.NOT_VISIBLE,
            Phase.UNKNOWN,
            None,
            0.0,
            None,
            (),
            self._count,
            None,
            None,
            self._latest,
        )

    def _note_motion(self, time_s: float, dt: float, seen: Observed) -> None:
        scale = self._ways[0].tolerances.scale * seen.known
        now = seen.features * scale
        if self._before is not None:
            speed = float(np.linalg.norm(now - self._before * (scale > 0))) / dt
            self._speed += (1.0 - math.exp(-dt / 0.15)) * (speed - self._speed)
        self._before = now
        if self._speed > STILL * self._usual_speed:
            self._still_since = math.nan
        elif math.isnan(self._still_since):
            self._still_since = time_s

    def _still_for(self, time_s: float) -> float:
        return 0.0 if math.isnan(self._still_since) else time_s - self._still_since

    def _note_ready(self, time_s: float, seen: Observed) -> None:
        """Keeps the user's own ready pose: held near the reference's, or else where the last cycle began."""
        way = self._ways[0]
        if way.detector.moving or way.from_ready(seen) > NEAR_READY:
            self._ready_since = math.nan
            return
        if math.isnan(self._ready_since):
            self._ready_since = time_s
            known = seen.known
            self._ready = np.where(known, seen.features, self._ready)
            way.warping.begin(0)
        held = time_s - self._ready_since
        if held <= READY_HOLD_S or self._still_for(time_s) > READY_HOLD_S:
            self._ready = np.where(seen.known, self._ready + 0.1 * (seen.features - self._ready), self._ready)

    # ------------------------------------------------------------ counting

    def _count_cycles(self, time_s: float, seen: Observed) -> CompletedRepetition | None:
        cycles = [cycle for way in self._ways if (cycle := way.push(time_s, seen)) is not None]
        moving = [way for way in self._ways if way.detector.moving]
        if len(moving) == 1:
            self._lead(moving[0])
        best: tuple[float, Following, Cycle, Comparison] | None = None
        for cycle in cycles:
            # Either way round may have moved first on its own axis; both are asked about what moved.
            for way in self._ways:
                comparison = self._compared(way, cycle)
                if comparison is None:
                    continue
                worth = comparison.explained - (MIRROR_GAIN if way is not self._ways[0] else 0.0)
                if worth >= EXPLAINED and (best is None or worth > best[0]):
                    best = worth, way, cycle, comparison
        if best is None:
            return None
        _, way, cycle, comparison = best
        way.detector.accepted(cycle)
        self._lead(way)
        return self._complete(way, cycle, comparison)

    def _lead(self, way: Following) -> None:
        """From now on this way round is followed, until a movement speaks for the other: lunges change legs."""
        if way is not self._ways[0]:
            self._ways.sort(key=lambda one: one is not way)
            way.warping.begin(0)

    def _compared(self, way: Following, cycle: Cycle) -> Comparison | None:
        """Looks at a finished cycle as a whole; None if it can be no repetition."""
        length = cycle.end_s - cycle.start_s
        usual = way.template.duration_s
        if not SHORTEST * usual <= length <= LONGEST * usual or cycle.start_s < self._last_end - 0.1:
            return None
        clip = self._memory.clip(cycle.start_s, cycle.end_s)
        if clip is None or not self._from_ready_to_ready(way, clip):
            return None
        return compare(clip, way.template)

    def _from_ready_to_ready(self, way: Following, clip: Clip) -> bool:
        """Both ends lie near the ready pose, facing the same way; a movement that does not return need only begin there."""
        if way.template.returns:
            start, end = heading(bones_of(clip.features[[0, -1]]))
            if abs(math.remainder(end - start, 2 * math.pi)) > TURNED_ROUND:
                return False
        ends = (0, -1) if way.template.returns else (0,)
        variance = np.where(clip.known, 0.0, np.inf)
        return all(way.from_ready(Observed(clip.features[end], variance)) <= NEAR_READY for end in ends)

    def _complete(self, way: Following, cycle: Cycle, comparison: Comparison) -> CompletedRepetition:
        verdict = judge(
            comparison,
            way.template,
            self._calibration,
            timed=self._rules.video_leads,
        )
        self._count += 1
        self._last_end = cycle.end_s
        self._latest = verdict
        errors, phase = repetition_errors(comparison, way.template, way.usual)
        if verdict.score >= PASSES:
            way.usual = way.usual.after(residuals(comparison, way.template))
        done = CompletedRepetition(self._count, cycle.start_s, cycle.end_s, verdict, errors, phase)
        self._safety.hear(done)
        return self._coach.hear(done)

    # ------------------------------------------------------------ saying

    def _state_of(self, time_s: float, moment: Moment) -> State:
        target = self._rules.target_repetitions
        if target and self._count >= target:
            return State.DONE
        way = self._ways[0]
        off = moment.deviation > LOST_DEVIATION
        if not off:
            self._off_since = math.nan
        elif math.isnan(self._off_since):
            self._off_since = time_s
        if way.detector.moving:
            if off and time_s - self._off_since > LOST_S:
                way.warping.relocate()
                return State.LOST
            return State.HOLD if self._still_for(time_s) > 0.4 else State.TRACKING
        if self._count and time_s - self._last_end > REST_S:
            return State.REST
        return State.READY

    def _outcome(
        self, time_s: float, dt: float, state: State, moment: Moment, completed: CompletedRepetition | None
    ) -> Outcome:
        following = state in (State.TRACKING, State.HOLD)
        if following and math.isfinite(moment.deviation):
            share = 1.0 - math.exp(-dt / SCORE_S)
            fresh = not math.isfinite(self._live)
            self._live = moment.deviation if fresh else self._live + share * (moment.deviation - self._live)
        score: float | None = None
        if math.isfinite(self._live) and (following or time_s - self._last_end < REST_S):
            score = self._calibration.score(self._live)
        phase = Phase(int(self.template.phases[moment.row])) if following else Phase.UNKNOWN
        if state is State.READY:
            phase = Phase.READY
        placed = following or state is State.READY
        frame = float(
            np.interp(moment.position.row, np.arange(len(self.template.frames)), self.template.frames)
        )
        errors = self._errors_now(moment) if following else ()
        return Outcome(
            time_s=time_s,
            state=state,
            phase=phase,
            reference_frame=frame if placed else None,
            confidence=moment.position.confidence if placed else 0.0,
            score=score,
            joint_errors=errors,
            repetitions=self._count,
            completed=completed,
            advice=self._coach.cue(time_s),
            latest=self._latest,
            notice=self._safety.notice(time_s),
        )

    def _errors_now(self, moment: Moment) -> tuple[JointError, ...]:
        return joint_errors(moment.z, moment.difference, moment.known)

    def _feed_hold(self, time_s: float, dt: float, seen: Observed) -> Outcome:
        """A held pose: no repetitions, the score is that of the pose."""
        moment = self._ways[0].place(seen, self.template.ready, dt)
        near = moment.deviation < LOST_DEVIATION and self._ways[0].from_ready(seen) < NEAR_READY
        state = State.HOLD if near else State.READY
        return self._outcome(time_s, dt, state, moment, None)


def _usual_speed(template: Template) -> float:
    """Median speed of the reference while it moves, in tolerances a second."""
    if template.kind is Kind.HOLD or len(template.features) < 3:
        return 30.0
    rows = template.features * tolerances(template).scale
    speed = np.linalg.norm(np.diff(rows, axis=0), axis=1) * RATE_HZ
    return float(max(np.median(speed), 1.0))
