"""Keeps a session's report up to date: what is to be written of it with every batch of scores."""

from __future__ import annotations

import secrets

import orjson

from services.scoring.library.stored import Stored
from services.scoring.live.outcome import Outcome
from services.scoring.reports import messages
from services.scoring.reports.kept import KeptReport, ReportChange
from services.scoring.reports.performance import Performance


class Recorder:
    """Follows one session along one reference. Not for several threads at once."""

    def __init__(self, reference: Stored) -> None:
        self._about = messages.about(reference)
        self._performance = Performance()
        self._report_id = ""
        self._over: list[ReportChange] = []

    @property
    def report_id(self) -> str:
        """The report under way, once `changes` has told of it; empty: none."""
        return self._report_id

    @property
    def urgent(self) -> bool:
        """There is news that shall not wait: a report has begun or ended, or a repetition or a cue is to be kept."""
        return bool(self._over) or (
            self._performance.begun and (not self._report_id or self._performance.has_news)
        )

    def resume(self, kept: KeptReport) -> None:
        """Write on where another stopped."""
        self._report_id = kept.report_id
        self._performance = messages.performance(kept)

    def feed(self, outcome: Outcome) -> None:
        """Takes what was said of one frame; later than the one before."""
        if self._performance.is_over(outcome.time_s):
            self._over += self._change()
            self._performance, self._report_id = Performance(), ""
        self._performance.feed(outcome)

    def changes(self) -> list[ReportChange]:
        """What is to be written since the last call."""
        over, self._over = self._over, []
        return over + self._change()

    def _change(self) -> list[ReportChange]:
        one = self._performance
        if not one.begun:
            return []
        begins = not self._report_id
        self._report_id = self._report_id or f"report-{secrets.token_hex(6)}"
        fresh = one.fresh()
        return [
            ReportChange(
                report_id=self._report_id,
                start_us=round(one.start_s * messages.MICRO),
                begins=begins,
                about=self._about,
                state=orjson.dumps(one.state(), option=orjson.OPT_SERIALIZE_NUMPY),
                anew=fresh.anew,
                points=[point.to_bytes() for point in fresh.points],
                repetitions=[messages.repetition(done) for done in fresh.repetitions],
                cues=[messages.given_cue(cue) for cue in fresh.cues],
            )
        ]
