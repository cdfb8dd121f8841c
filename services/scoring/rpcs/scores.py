"""Watching a session's scores, and its repetitions so far."""

from collections.abc import AsyncIterator

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.sessions import SessionStore
from services.scoring.rpcs.parts import Context, Rpcs
from services.scoring.sessions.ledger import Ledger


class ScoreRpcs(Rpcs):
    """WatchScores, GetSessionSummary."""

    async def WatchScores(
        self, request: pb.WatchScoresRequest, context: Context
    ) -> AsyncIterator[pb.WatchScoresResponse]:
        await SessionStore(self._parts.redis).get(request.session_id)
        async for position, data in self._parts.watcher.follow(request.session_id, request.after):
            yield pb.WatchScoresResponse(update=pb.ScoreUpdate.FromString(data), position=position)

    async def GetSessionSummary(
        self, request: pb.GetSessionSummaryRequest, context: Context
    ) -> pb.GetSessionSummaryResponse:
        config = await SessionStore(self._parts.redis).get(request.session_id)
        ledger = Ledger(self._parts.redis, request.session_id, kept=1, lifetime_s=1)
        progress = await ledger.progress()
        done = [pb.Repetition.FromString(data) for data in await ledger.repetitions()]
        scores = [one.score for one in done if one.HasField("score")]
        answer = pb.GetSessionSummaryResponse(
            session_id=config.session_id,
            reference_id=config.reference_id,
            repetitions=done,
            sets=progress.sets,
        )
        if scores:
            answer.mean_score = sum(scores) / len(scores)
        return answer
