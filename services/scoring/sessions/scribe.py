"""Turns synced sets into score updates, with or without a reference. Pure but for the messages' own form."""

from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import DecodeError

from komi.scoring.v1 import scoring_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2
from services.mesh.stages import HOST_ID, monotonic_ns
from services.scoring import metrics, translate
from services.scoring.library.stored import Stored
from services.scoring.live.outcome import Advice, Outcome
from services.scoring.live.session import Rules, SessionScorer
from services.scoring.phrasing.wording import Worded
from services.scoring.reports.kept import KeptReport, ReportChange
from services.scoring.reports.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Written:
    """What came of some synced sets."""

    updates: list[bytes]
    """komi.scoring.v1.ScoreUpdate"""
    repetitions: list[bytes]
    """komi.scoring.v1.Repetition"""
    report_id: str
    """The report under way; empty: none."""
    reports: list[ReportChange]
    """What is to be written of it, and of one that has just ended."""


class Scribe:
    """Scores one session's sets, in order. Not for several threads at once."""

    def __init__(self, reference: Stored | None, rules: Rules) -> None:
        self.reference = reference
        self._scorer = (
            SessionScorer(reference.template, reference.calibration, rules) if reference is not None else None
        )
        self._recorder = Recorder(reference) if reference is not None else None
        self._last_s = float("-inf")
        self._seen: set[str] = set()
        self.cue: Advice | None = None
        """What is said of the newest set, in the template's words."""

    @property
    def exercise(self) -> str:
        """The reference's; empty: any."""
        return self.reference.template.exercise if self.reference is not None else ""

    def state(self) -> dict[str, Any]:
        """What a successor must know."""
        return self._scorer.state() if self._scorer is not None else {}

    def resume(self, earlier: list[bytes], state: dict[str, Any], report: KeptReport | None) -> None:
        """Take up where another stopped: look again at the sets it saw last, then at its counts and its report."""
        self.write(earlier, silent=True)
        if self._scorer is not None:
            self._scorer.restore(state)
        if self._recorder is not None and report is not None:
            self._recorder.resume(report)

    def outline_cameras(self, asked: bool | None) -> set[str]:
        """Cameras that saw somebody since this was called last, and whose outlines are of use.

        `asked`: None those that stand where the reference's stood, if it has outlines; True all; False none.
        """
        seen, self._seen = self._seen, set()
        if asked is None:
            return {one for one in seen if self._scorer is not None and self._scorer.compares_outlines(one)}
        return seen if asked else set()

    def write(self, sets: list[bytes], worded: Worded | None = None, *, silent: bool = False) -> Written:
        """Scores sets given as komi.sync.v1.SyncedSet; what cannot be used is counted and left out.

        `worded`: other words for a cue, used while it stands.
        """
        updates: list[bytes] = []
        repetitions: list[bytes] = []
        for data in sets:
            began_ns = monotonic_ns()
            try:
                synced = sync_service_pb2.SyncedSet.FromString(data)
            except DecodeError:
                metrics.dropped("broken")
                continue
            update = self._score(synced, worded, silent)
            if update is None or silent:
                continue
            updates.append(update.SerializeToString())
            if update.HasField("completed"):
                repetitions.append(update.completed.SerializeToString())
                metrics.REPETITIONS.inc()
            metrics.SETS.labels(_state_name(update)).inc()
            metrics.STAGE_SECONDS.labels("score").observe((monotonic_ns() - began_ns) / 1e9)
            stamps = synced.stamps
            if stamps.sync_host_id == HOST_ID and stamps.synced_monotonic_ns:
                metrics.STAGE_SECONDS.labels("age").observe(
                    (monotonic_ns() - stamps.synced_monotonic_ns) / 1e9
                )
        if self._recorder is None or silent:
            return Written(updates, repetitions, "", [])
        # In this order: a report has its id once it is asked for.
        reports = self._recorder.changes()
        return Written(updates, repetitions, self._recorder.report_id, reports)

    def _score(
        self, synced: sync_service_pb2.SyncedSet, worded: Worded | None, silent: bool
    ) -> pb.ScoreUpdate | None:
        views = translate.synced_views(synced)
        if views.time_s <= self._last_s:
            metrics.dropped("late")
            return None
        self._last_s = views.time_s
        self._seen.update(view.camera_id for view in views.views)
        outcome = self._scorer.feed(views) if self._scorer is not None else None
        if self._recorder is not None and outcome is not None and not silent:
            self._recorder.feed(outcome)
        if outcome is not None:
            self.cue = outcome.advice
            outcome = _in_words(outcome, worded)
        return translate.score_update(synced, outcome, self.reference)


def _in_words(outcome: Outcome, worded: Worded | None) -> Outcome:
    """With a language model's words for the cue, if they are for this one."""
    cue = outcome.advice
    if worded is None or cue is None or worded.cue != cue:
        return outcome
    text = worded.text
    return replace(outcome, advice=replace(cue, text_ko=text.ko, text_en=text.en, phrased=True))


def _state_name(update: pb.ScoreUpdate) -> str:
    return pb.TrackingState.Name(update.state).removeprefix("TRACKING_STATE_").lower()
