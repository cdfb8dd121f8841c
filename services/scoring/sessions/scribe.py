"""Turns synced sets into score updates, with or without a reference. Pure but for the messages' own form."""

from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import DecodeError

from komi.sync.v1 import sync_service_pb2
from services.mesh.stages import monotonic_ns
from services.scoring import metrics, translate
from services.scoring.library.stored import Stored
from services.scoring.live.outcome import Advice, Outcome
from services.scoring.live.session import Rules, SessionScorer
from services.scoring.phrasing.wording import Worded
from services.scoring.reports.kept import KeptReport
from services.scoring.reports.recorder import Recorder
from services.scoring.sessions.ledger import Note

NOTED_S = 1.0
"""What a successor takes up is told anew this often, and whenever something was completed."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of some synced sets."""

    updates: list[bytes]
    """komi.scoring.v1.ScoreUpdate"""
    repetitions: list[bytes]
    """komi.scoring.v1.Repetition"""
    note: Note | None
    """What a successor takes up, if it is time to tell."""


class Scribe:
    """Scores one session's sets, in order. Not for several threads at once."""

    def __init__(self, reference: Stored | None, rules: Rules) -> None:
        self.reference = reference
        self._scorer = (
            SessionScorer(reference.template, reference.calibration, rules) if reference is not None else None
        )
        self._recorder = Recorder(reference) if reference is not None else None
        self._last_s = self._noted_s = float("-inf")
        self._seen: set[str] = set()
        self.cue: Advice | None = None
        """What is said of the newest set, in the template's words."""

    @property
    def exercise(self) -> str:
        """The reference's; empty: any."""
        return self.reference.template.exercise if self.reference is not None else ""

    def resume(
        self, earlier: list[bytes], state: dict[str, Any], report: KeptReport | None, *, unreported: int = 0
    ) -> None:
        """Take up where another stopped: look again at the sets it saw last, then at its counts and its report.

        The last `unreported` of these sets were scored after the report was written.
        """
        seen = [self._outcome(data) for data in earlier]
        if self._scorer is not None:
            self._scorer.restore(state)
        if self._recorder is None:
            return
        if report is not None:
            self._recorder.resume(report)
            seen = seen[len(seen) - unreported :]
        for _, outcome in filter(None, seen):
            if outcome is not None:
                # Nothing is completed between two notes, whatever it looks like from here.
                self._recorder.feed(replace(outcome, completed=None))

    def outline_cameras(self, asked: bool | None) -> set[str]:
        """Cameras that saw somebody since this was called last, and whose outlines are of use.

        `asked`: None those that stand where the reference's stood, if it has outlines; True all; False none.
        """
        seen, self._seen = self._seen, set()
        if asked is None:
            return {one for one in seen if self._scorer is not None and self._scorer.compares_outlines(one)}
        return seen if asked else set()

    def write(self, sets: list[bytes], worded: Worded | None = None) -> Written:
        """Scores sets given as komi.sync.v1.SyncedSet; what cannot be used is counted and left out.

        `worded`: other words for a cue, used while it stands.
        """
        updates: list[bytes] = []
        repetitions: list[bytes] = []
        for data in sets:
            began_ns = monotonic_ns()
            seen = self._outcome(data)
            if seen is None:
                continue
            synced, outcome = seen
            if outcome is not None:
                if self._recorder is not None:
                    self._recorder.feed(outcome)
                self.cue = outcome.advice
                outcome = _in_words(outcome, worded)
            update = translate.score_update(synced, outcome, self.reference)
            updates.append(update.SerializeToString())
            if update.HasField("completed"):
                repetitions.append(update.completed.SerializeToString())
                metrics.REPETITIONS.inc()
            metrics.scored(update.state, began_ns, synced.stamps)
        return Written(updates, repetitions, self._note() if self._is_due(bool(repetitions)) else None)

    def _outcome(self, data: bytes) -> tuple[sync_service_pb2.SyncedSet, Outcome | None] | None:
        """A set, and what is said of it against a reference; None: it cannot be used, which is counted."""
        try:
            synced = sync_service_pb2.SyncedSet.FromString(data)
        except DecodeError:
            metrics.dropped("broken")
            return None
        views = translate.synced_views(synced)
        if views.time_s <= self._last_s:
            metrics.dropped("late")
            return None
        self._last_s = views.time_s
        self._seen.update(view.camera_id for view in views.views)
        return synced, self._scorer.feed(views) if self._scorer is not None else None

    def _is_due(self, completed: bool) -> bool:
        news = completed or (self._recorder is not None and self._recorder.urgent)
        return news or self._last_s - self._noted_s >= NOTED_S

    def _note(self) -> Note:
        self._noted_s = self._last_s
        state = self._scorer.state() if self._scorer is not None else {}
        if self._recorder is None:
            return Note(state, "", [])
        # In this order: a report has its id once it is asked for.
        reports = self._recorder.changes()
        return Note(state, self._recorder.report_id, reports)


def _in_words(outcome: Outcome, worded: Worded | None) -> Outcome:
    """With a language model's words for the cue, if they are for this one."""
    cue = outcome.advice
    if worded is None or cue is None or worded.cue != cue:
        return outcome
    text = worded.text
    return replace(outcome, advice=replace(cue, text_ko=text.ko, text_en=text.en, phrased=True))
