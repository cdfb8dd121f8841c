"""Scores one session: feed it synced sets, get what is to be said of each.

Pure: the clock is the sets' own, nothing is stored elsewhere. `state` and `restore` carry it over a restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from services.scoring.advice.voice import Voice
from services.scoring.judging.calibration import Calibration, defaults
from services.scoring.judging.comparison import cosine
from services.scoring.judging.faults import repetition_errors
from services.scoring.judging.likeness import likeness
from services.scoring.judging.localisation import Usual, residuals
from services.scoring.judging.score import Verdict, judge
from services.scoring.judging.technique import deviation, flaws, held_flaws, settled
from services.scoring.live.counting import Counting, Finished
from services.scoring.live.following import Following, Moment
from services.scoring.live.motion import Motion
from services.scoring.live.outcome import CompletedRepetition, Outcome, State
from services.scoring.live.overlap import OutlineOverlap
from services.scoring.live.ready import NEAR_READY, ReadyPose
from services.scoring.movement.joints import joint_errors
from services.scoring.movement.landmarks import SyncedViews, View
from services.scoring.movement.observer import Observer
from services.scoring.movement.views import Observed
from services.scoring.reference.template import RATE_HZ, Kind, Phase, Template

GONE_S: Final = 0.5
"""Who was not seen for so long is gone, and begins anew."""
VISIBLE_SHARE: Final = 0.5
"""Share of what counts that must be seen, else the person is not visible."""
STILL_S: Final = 0.4
"""Still for this long within a movement is a hold."""
TAKEN_UP_S: Final = 3.0
"""Near a held pose for this long is holding it, still or not."""
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
        self._defaults = defaults(template)
        self._calibration = calibration or self._defaults
        self._rules = rules or Rules()
        self._counting = Counting(template, allow_mirror=self._rules.allow_mirror)
        self._motion = Motion(template)
        self._ready = ReadyPose(template.ready)
        self._voice = Voice(template)
        self._observer = Observer(template.heading, template.ready)
        self._overlap = OutlineOverlap(template)
        self._rows = np.arange(float(len(template.frames)))
        self._time = math.nan
        self._seen = -math.inf
        self._off_since = math.nan
        self._live = math.nan
        self._near_s = 0.0
        self._count = 0
        self._latest: Verdict | None = None

    @property
    def repetitions(self) -> int:
        """Repetitions completed."""
        return self._count

    @property
    def _way(self) -> Following:
        return self._counting.way

    @property
    def _live_scale(self) -> Calibration:
        """Labels bend the scale of whole repetitions; of a moment they say nothing."""
        return self._calibration if self._calibration.weights is None else self._defaults

    def _calibration_of(self, way: Following) -> Calibration:
        """A calibration knows left from right: the mirror image is judged on defaults."""
        return self._calibration if way.template is self.template else self._defaults

    def state(self) -> dict[str, Any]:
        """What a successor must know so that nothing is counted twice and the score goes on; plain JSON values."""
        usual = {self._side(way): way.usual.state for way in self._counting.ways if way.usual.count.any()}
        last_end_s = self._counting.last_end_s if self._count else None
        return {
            "count": self._count,
            "last_end_s": last_end_s,
            "latest": self._latest.state if self._latest is not None else None,
            "usual": usual,
            "voice": self._voice.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up where another scorer of this session stopped."""
        self._count = int(state.get("count", 0))
        last = state.get("last_end_s")
        self._counting.last_end_s = -math.inf if last is None else float(last)
        # Not what looks like a repetition among the sets that were looked at again.
        self._latest = Verdict.of(state.get("latest"))
        usual = state.get("usual", {})
        for way in self._counting.ways:
            way.usual = Usual.of(usual.get(self._side(way)))
        # It has heard the sets that were looked at again, and would hear them twice.
        self._voice.restore(state.get("voice", {}))

    def _side(self, way: Following) -> str:
        return "as_shown" if way.template is self.template else "mirrored"

    def feed(self, synced: SyncedViews) -> Outcome:
        """Takes one synced set, later than the one before; returns what is to be said of it."""
        time_s = synced.time_s
        dt = time_s - self._time if math.isfinite(self._time) else 1.0 / RATE_HZ
        dt = min(max(dt, 1e-3), 1.0)
        self._time = time_s
        seen = self._observer.see(synced.views, dt, settled=not self._way.detector.moving)
        if self._way.sees(seen) < VISIBLE_SHARE:
            return self._nobody(time_s)
        unseen_s, self._seen = time_s - self._seen, time_s
        self._motion.push(time_s, max(dt, unseen_s), seen, self._way.tolerances.scale)
        self._voice.see(dt, synced.views, moving=not self._motion.still_for(time_s))
        self._counting.remember(time_s, seen)
        if self.template.kind is Kind.HOLD:
            return self._feed_hold(synced.views, time_s, dt, seen)
        finished = self._counting.push(time_s, seen)
        completed = self._complete(finished) if finished is not None else None
        self._ready.push(time_s, seen, self._way, self._motion.still_for(time_s))
        moment = self._way.place(seen, self._ready.pose, dt)
        state = self._state_of(time_s, moment)
        outcome = self._outcome(time_s, dt, state, moment, completed)
        return self._explained(outcome, synced.views, seen, dt, moment)

    def compares_outlines(self, camera_id: str) -> bool:
        """Whether this camera's outlines of the person could be laid over the reference's, as far as is known."""
        return bool(len(self.template.outlines)) and self._observer.from_reference(camera_id)

    def _nobody(self, time_s: float) -> Outcome:
        # A set may lack those cameras that see them: what they were at is forgotten once they are gone for a while.
        if time_s - self._seen > GONE_S:
            self._motion.forget()
            self._ready.forget()
            self._near_s = 0.0
            self._off_since = math.nan
        return Outcome(
            time_s=time_s,
            state=State.NOT_VISIBLE,
            phase=Phase.UNKNOWN,
            reference_frame=None,
            confidence=0.0,
            score=None,
            joint_errors=(),
            repetitions=self._count,
            completed=None,
            advice=None,
            latest=self._latest,
        )

    def _complete(self, finished: Finished) -> CompletedRepetition:
        way, cycle, comparison = finished.way, finished.cycle, finished.comparison
        found = flaws(comparison, way.template, timed=self._rules.video_leads)
        verdict = judge(
            comparison,
            way.template,
            self._calibration_of(way),
            timed=self._rules.video_leads,
            fault=deviation(found),
        )
        self._count += 1
        self._latest = verdict
        seen = residuals(finished.clip, comparison, way.template)
        errors, phase = repetition_errors(comparison, way.template, seen, way.usual)
        if verdict.score >= PASSES:
            way.usual = way.usual.after(seen)
        done = CompletedRepetition(
            number=self._count,
            start_s=cycle.start_s,
            end_s=cycle.end_s,
            verdict=verdict,
            joint_errors=errors,
            worst_phase=phase,
            flaws=found,
            settled=settled(comparison, way.template),
            likeness=likeness(comparison, way.template),
            silhouette_overlap=self._overlap.mean(cycle.start_s, cycle.end_s),
        )
        return self._voice.hear(done)

    def _state_of(self, time_s: float, moment: Moment) -> State:
        target = self._rules.target_repetitions
        if target and self._count >= target:
            return State.DONE
        off = moment.deviation > LOST_DEVIATION
        if not off:
            self._off_since = math.nan
        elif math.isnan(self._off_since):
            self._off_since = time_s
        if self._way.detector.moving:
            if off and time_s - self._off_since > LOST_S:
                self._way.warping.relocate()
                return State.LOST
            return State.HOLD if self._motion.still_for(time_s) > STILL_S else State.TRACKING
        if self._count and time_s - self._counting.last_end_s > REST_S:
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
        if math.isfinite(self._live) and (following or time_s - self._counting.last_end_s < REST_S):
            score = self._live_score()
        phase = Phase(int(self.template.phases[moment.row])) if following else Phase.UNKNOWN
        if state is State.READY:
            phase = Phase.READY
        placed = following or state is State.READY
        frame = float(np.interp(moment.position.row, self._rows, self.template.frames))
        return Outcome(
            time_s=time_s,
            state=state,
            phase=phase,
            reference_frame=frame if placed else None,
            confidence=moment.position.confidence if placed else 0.0,
            score=score,
            joint_errors=joint_errors(moment.z, moment.difference, moment.known) if following else (),
            repetitions=self._count,
            completed=completed,
            advice=self._voice.cue(time_s),
            latest=self._latest,
            notice=self._voice.notice(time_s),
        )

    def _live_score(self) -> float:
        """Half the moment, half the last repetition: depth and other faults are only known of a whole movement."""
        moment = self._live_scale.score(self._live)
        if self._latest is None or not math.isfinite(self._latest.score):
            return moment
        return 0.5 * (moment + self._latest.score)

    def _explained(
        self, outcome: Outcome, views: tuple[View, ...], seen: Observed, dt: float, moment: Moment
    ) -> Outcome:
        """With what explains and never counts: mean cosine and overlap of outlines."""
        if outcome.state not in (State.TRACKING, State.HOLD):
            return outcome
        template = self._way.template
        alike = cosine(seen.features[None], template.features[moment.row][None], moment.known)
        overlap = self._overlap.see(
            outcome.time_s, dt, views, self._observer, moment.row, mirrored=template is not self.template
        )
        return replace(outcome, cosine=alike if math.isfinite(alike) else None, silhouette_overlap=overlap)

    def _feed_hold(self, views: tuple[View, ...], time_s: float, dt: float, seen: Observed) -> Outcome:
        """A held pose: no repetitions, the score is that of the pose."""
        moment = self._way.place(seen, self.template.ready, dt)
        near = moment.deviation < LOST_DEVIATION and self._way.from_ready(seen) < NEAR_READY
        state = State.HOLD if near else State.READY
        found = held_flaws(seen, self.template) if near else ()
        if found:
            fault = self._calibration.d70 * deviation(found)
            moment = replace(moment, deviation=max(moment.deviation, fault))
        outcome = self._outcome(time_s, dt, state, moment, None)
        self._near_s = self._near_s + dt if near else 0.0
        # Who takes the pose up is not corrected yet; who has held it for long does, however a limb flickers.
        if near and (self._motion.still_for(time_s) > STILL_S or self._near_s > TAKEN_UP_S):
            self._voice.hear_hold(time_s, outcome.score, found, outcome.joint_errors)
            outcome = replace(outcome, advice=self._voice.cue(time_s))
        return self._explained(outcome, views, seen, dt, moment)
