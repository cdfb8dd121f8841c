"""komi.scoring.v1.ScoringService: translates between messages and the modules that do the work."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc

from komi.scoring.v1 import scoring_service_pb2 as pb
from komi.scoring.v1 import scoring_service_pb2_grpc
from services.mesh.errors import InvalidInput
from services.mesh.redis import RedisClient
from services.mesh.sessions import SessionStore
from services.scoring import metrics, translate
from services.scoring.builder import Analysing, Detecting, Order, ReferenceBuilder, workspace
from services.scoring.config import ScoringSettings
from services.scoring.ledger import Ledger
from services.scoring.store import ReferenceStore, Stored, page_token, read_page_token
from services.scoring.watch import Watcher

Context = grpc.aio.ServicerContext[Any, Any]
LONGEST_NAME = 100
PAGE = 100


class ScoringServicer(scoring_service_pb2_grpc.ScoringServiceServicer):
    """See the proto for what each method promises."""

    def __init__(
        self,
        settings: ScoringSettings,
        redis: RedisClient,
        store: ReferenceStore,
        builder: ReferenceBuilder,
        watcher: Watcher,
    ) -> None:
        self._settings = settings
        self._redis = redis
        self._store = store
        self._builder = builder
        self._watcher = watcher
        self._sessions = SessionStore(redis)

    async def BuildReference(
        self, request_iterator: AsyncIterator[pb.BuildReferenceRequest], context: Context
    ) -> AsyncIterator[pb.BuildReferenceResponse]:
        try:
            order = await _order(request_iterator)
            yield _progress(pb.BUILD_STAGE_UPLOADING)
            with workspace() as folder:
                path = await self._builder.receive(_chunks(request_iterator), Path(folder))
                async for step in self._builder.build(order, path):
                    yield _built(step)
        except BaseException:
            metrics.REFERENCES.labels("refused").inc()
            raise
        metrics.REFERENCES.labels("built").inc()

    async def ListReferences(
        self, request: pb.ListReferencesRequest, context: Context
    ) -> pb.ListReferencesResponse:
        count = min(max(request.page_size, 0) or PAGE, 1000)
        try:
            before = read_page_token(request.page_token)
        except (ValueError, TypeError) as error:
            raise InvalidInput("this is no page token of ListReferences", reason="BAD_PAGE_TOKEN") from error
        found = await self._store.list(count + 1, before)
        more = len(found) > count
        return pb.ListReferencesResponse(
            references=[translate.reference(stored, whole=False) for stored in found[:count]],
            next_page_token=page_token(found[count - 1]) if more else "",
        )

    async def GetReference(
        self, request: pb.GetReferenceRequest, context: Context
    ) -> pb.GetReferenceResponse:
        stored = await self._store.get(request.reference_id, request.version)
        return pb.GetReferenceResponse(reference=translate.reference(stored, whole=True))

    async def DeleteReference(
        self, request: pb.DeleteReferenceRequest, context: Context
    ) -> pb.DeleteReferenceResponse:
        await self._store.delete(request.reference_id)
        return pb.DeleteReferenceResponse()

    async def WatchScores(
        self, request: pb.WatchScoresRequest, context: Context
    ) -> AsyncIterator[pb.WatchScoresResponse]:
        await self._sessions.get(request.session_id)
        async for position, data in self._watcher.follow(request.session_id, request.after):
            yield pb.WatchScoresResponse(update=pb.ScoreUpdate.FromString(data), position=position)

    async def GetSessionSummary(
        self, request: pb.GetSessionSummaryRequest, context: Context
    ) -> pb.GetSessionSummaryResponse:
        config = await self._sessions.get(request.session_id)
        ledger = Ledger(self._redis, request.session_id, kept=1, lifetime_s=1)
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


async def _order(requests: AsyncIterator[pb.BuildReferenceRequest]) -> Order:
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("payload") != "config":
        raise InvalidInput(
            "the first message of BuildReference must be a config, then the video in chunks",
            reason="NO_CONFIG",
        )
    config = first.config
    name = config.name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput(
            f"a reference needs a name of 1 to {LONGEST_NAME} printable characters", reason="BAD_NAME"
        )
    return Order(name, config.exercise.strip().lower(), config.reference_id, config.file_name)


async def _chunks(requests: AsyncIterator[pb.BuildReferenceRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("payload") != "chunk":
            raise InvalidInput(
                "only the first message may be a config; chunks follow", reason="SECOND_CONFIG"
            )
        yield request.chunk


def _built(step: Detecting | Analysing | Stored) -> pb.BuildReferenceResponse:
    if isinstance(step, Stored):
        return pb.BuildReferenceResponse(reference=translate.reference(step, whole=True))
    if isinstance(step, Analysing):
        return _progress(pb.BUILD_STAGE_ANALYSING, step.frames, step.frames)
    return _progress(pb.BUILD_STAGE_DETECTING, step.done, step.total)


def _progress(stage: pb.BuildStage.ValueType, done: int = 0, total: int = 0) -> pb.BuildReferenceResponse:
    return pb.BuildReferenceResponse(
        progress=pb.BuildProgress(
            stage=stage,
            fraction=min(1.0, done / total) if total else 0.0,
            frames_done=done,
            frames_total=total,
        )
    )
