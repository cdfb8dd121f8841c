"""Turns synced sets into score updates, with or without a reference. Pure but for the messages' own form."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from komi.scoring.v1 import scoring_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2
from services.mesh.stages import HOST_ID, monotonic_ns
from services.scoring import metrics, translate
from services.scoring.session import Rules, SessionScorer
from services.scoring.store import Stored


@dataclass(frozen=True, slots=True)
class Written:
    """What came of some synced sets."""

    updates: list[bytes]
    """komi.scoring.v1.ScoreUpdate"""
    repetitions: list[bytes]
    """komi.scoring.v1.Repetition"""


class Scribe:
    """Scores one session's sets, in order. Not for several threads at once."""

    def __init__(self, reference: Stored | None, rules: Rules) -> None:
        self.reference = reference
        self._scorer = SessionScorer(reference.template, rules=rules) if reference is not None else None
        self._last_s = float("-inf")

    def state(self) -> dict[str, Any]:
        """What a successor must know."""
        return self._scorer.state() if self._scorer is not None else {}

    def resume(self, earlier: list[bytes], state: dict[str, Any]) -> None:
        """Take up where another stopped: look again at the sets it saw last, then at its counts."""
        self.write(earlier, silent=True)
        if self._scorer is not None:
            self._scorer.restore(state)

    def write(self, sets: list[bytes], *, silent: bool = False) -> Written:
        """Scores sets given as komi.sync.v1.SyncedSet; what cannot be used is counted and left out."""
        updates: list[bytes] = []
        repetitions: list[bytes] = []
        for data in sets:
            began_ns = monotonic_ns()
            try:
                synced = sync_service_pb2.SyncedSet.FromString(data)
            except DecodeError:
                metrics.dropped("broken")
                continue
            update = self._score(synced)
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
        return Written(updates, repetitions)

    def _score(self, synced: sync_service_pb2.SyncedSet) -> pb.ScoreUpdate | None:
        views = translate.synced_views(synced)
        if views.time_s <= self._last_s:
            metrics.dropped("late")
            return None
        self._last_s = views.time_s
        outcome = self._scorer.feed(views) if self._scorer is not None else None
        return translate.score_update(synced, outcome, self.reference)


def _state_name(update: pb.ScoreUpdate) -> str:
    return pb.TrackingState.Name(update.state).removeprefix("TRACKING_STATE_").lower()
