"""komi.sync.v1.SyncService: protos in, protos out."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog

from komi.common.v1 import pose_pb2, stream_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2_grpc
from services.mesh.errors import InvalidInput, NotFound
from services.mesh.sessions import check_name
from services.mesh.telemetry import DROPS
from services.mesh.times import to_duration, to_timestamp
from services.sync import codec
from services.sync.errors import SessionNotFound
from services.sync.frames import Frame, TieBreaker
from services.sync.parts import Parts
from services.sync.sessions import Sessions
from services.sync.tally import Tally
from services.sync.watch import Watcher
from services.sync.worker import BATCH, SessionWorker

log = structlog.get_logger()

ACK_S = 1.0
"""Between two answers at most: each costs both sides more than a pose does."""
ACK_POSES = 128
"""So many poses are acknowledged at a time, about: half of what a sender keeps to send again."""
MOST_FAILED = 64
SETTLE_S = 1.0
"""For so long the end of a stream waits for its last poses to be stored when this replica stops …"""
FINISH_S = 10.0
"""… and when its sender is done, who is told of all of them."""


class SyncService(sync_service_pb2_grpc.SyncServiceServicer):
    """Stands between the streams and the sessions."""

    def __init__(self, parts: Parts, sessions: Sessions, watcher: Watcher) -> None:
        self._parts = parts
        self._sessions = sessions
        self._watcher = watcher
        self._drain = asyncio.Event()

    async def drain(self) -> None:
        """End every stream with DRAINING."""
        self._drain.set()

    # ------------------------------------------------------------ IngestPoses
    async def IngestPoses(
        self, request_iterator: AsyncIterator[pb.IngestPosesRequest], context: Any
    ) -> AsyncIterator[pb.IngestPosesResponse]:
        config = await _first_config(request_iterator)
        # Redis away at the start is an error of the call; away later is bridged by the worker's buffer.
        await self._parts.redis.ping()
        worker = self._sessions.join(config.session_id)
        stream = _IngestStream(worker, self._parts)
        reader = asyncio.create_task(stream.read(request_iterator), name=f"ingest-{config.session_id}")
        draining = asyncio.create_task(self._drain.wait(), name="ingest-drain")
        try:
            yield stream.ack()
            while True:
                await asyncio.wait(
                    (reader, draining), timeout=stream.pause_s(), return_when=asyncio.FIRST_COMPLETED
                )
                over = reader.done() or draining.done()
                if over:
                    await stream.settle(draining)
                for answer in stream.answers():
                    yield answer
                if over:
                    break
            if reader.done():
                reader.result()
            yield _end(
                stream_pb2.STREAM_END_REASON_COMPLETE
                if reader.done()
                else stream_pb2.STREAM_END_REASON_DRAINING
            )
        finally:
            reader.cancel()
            draining.cancel()
            await asyncio.gather(reader, draining, return_exceptions=True)
            self._sessions.leave(config.session_id)

    # ------------------------------------------------------------ WatchSession
    async def WatchSession(
        self, request: pb.WatchSessionRequest, context: Any
    ) -> AsyncIterator[pb.WatchSessionResponse]:
        await self._require(request.session_id)
        async for position, raw in self._watcher.follow(request.session_id, request.after):
            yield pb.WatchSessionResponse(set=pb.SyncedSet.FromString(raw), position=position)

    # ------------------------------------------------------------ status
    async def GetSessionStatus(
        self, request: pb.GetSessionStatusRequest, context: Any
    ) -> pb.GetSessionStatusResponse:
        await self._require(request.session_id)
        worker = self._sessions.get(request.session_id)
        if worker is not None and worker.holds:
            return worker.house.status()
        told = await self._parts.store.told(request.session_id)
        if told is None:
            return pb.GetSessionStatusResponse(session_id=request.session_id)
        return pb.GetSessionStatusResponse.FromString(told)

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Any) -> pb.ListSessionsResponse:
        return pb.ListSessionsResponse(session_ids=await self._parts.store.active(self._parts.clock.now_us()))

    async def _require(self, session_id: str) -> None:
        check_name(session_id, "session")
        if await self._parts.store.exists(session_id):
            return
        try:
            await self._parts.sessions.get(session_id)
        except NotFound as error:
            raise SessionNotFound(error.message) from error


class _IngestStream:
    """One ingest call: what it read, and what it has to say."""

    def __init__(self, worker: SessionWorker, parts: Parts) -> None:
        self._worker = worker
        self._parts = parts
        self._future_us = round(parts.settings.future_ms * 1000)
        self._past_us = round(parts.settings.past_s * 1e6)
        self._tally = Tally()
        self._tally.settled.set()
        self._told = Tally()
        self._apart = TieBreaker()
        self._failed: list[pb.IngestPosesResponse] = []
        self._rate = 0.0

    async def read(self, requests: AsyncIterator[pb.IngestPosesRequest]) -> None:
        """Hand every pose to the worker until the client closes its side."""
        async for request in requests:
            match request.WhichOneof("payload"):
                case "pose":
                    self._take((request.pose,))
                case "batch" if len(request.batch.poses) <= BATCH:
                    self._take(request.batch.poses)
                case "batch":
                    raise InvalidInput(
                        f"a batch of {len(request.batch.poses)} poses is more than sync takes in one message: send at "
                        f"most {BATCH}",
                        reason="BATCH_TOO_LARGE",
                    )
                case _:
                    raise InvalidInput("after the config only poses may follow on an ingest stream")

    def _take(self, poses: Sequence[pose_pb2.PoseFrame]) -> None:
        frames = [frame for frame in map(self._read, poses) if frame is not None]
        if frames:
            self._worker.offer(frames, self._tally)

    def _read(self, pose: pose_pb2.PoseFrame) -> Frame | None:
        try:
            now_us = self._parts.clock.now_us()
            frame = codec.to_frame(pose, now_us, future_us=self._future_us, past_us=self._past_us)
        except InvalidInput as error:
            DROPS.labels("sync", "ingest", "bad_time" if isinstance(error, codec.BadTime) else "broken").inc()
            if len(self._failed) < MOST_FAILED:
                self._failed.append(codec.failed(pose, error))
            return None
        self._worker.holder.heard_of_clock(pose)
        return self._apart(frame)

    async def settle(self, draining: "asyncio.Task[Any]") -> None:
        """Wait, within reason, until what was read is stored."""
        settled = asyncio.create_task(self._tally.settled.wait(), name="ingest-settled")
        try:
            await asyncio.wait((settled, draining), timeout=FINISH_S, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((settled,), timeout=SETTLE_S)
        finally:
            settled.cancel()
        if not self._tally.settled.is_set():
            log.warning("poses left unstored", session=self._worker.session_id)

    def pause_s(self) -> float:
        """How long it is until the next answers."""
        return min(ACK_S, ACK_POSES / max(1.0, self._rate))

    def answers(self) -> list[pb.IngestPosesResponse]:
        """What changed since the last call."""
        answers, self._failed = self._failed, []
        for reason, count in self._tally.dropped.items():
            more = count - self._told.dropped.get(reason, 0)
            if more:
                self._told.dropped[reason] = count
                answers.append(
                    pb.IngestPosesResponse(dropped=stream_pb2.DropNotice(reason=reason, count=more))
                )
        stored = self._tally.stored - self._told.stored
        self._rate = stored / self.pause_s()
        if stored:
            self._told.stored = self._tally.stored
            answers.append(self.ack())
        return answers

    def ack(self) -> pb.IngestPosesResponse:
        """Poses stored so far, and how those to come should come."""
        ack = pb.IngestAck(stored=self._tally.stored, most_batched=BATCH)
        if watermark_us := self._worker.holder.committed_us:
            ack.watermark.CopyFrom(to_timestamp(watermark_us))
        if gather_us := self._parts.load.gather_us(time.monotonic(), time.process_time()):
            ack.gather.CopyFrom(to_duration(gather_us))
        return pb.IngestPosesResponse(ack=ack)


async def _first_config(requests: AsyncIterator[pb.IngestPosesRequest]) -> pb.IngestConfig:
    first = await anext(requests, None)
    if first is None or first.WhichOneof("payload") != "config":
        raise InvalidInput(
            "the first message of an ingest stream must be its config: name the session",
            reason="CONFIG_EXPECTED",
        )
    check_name(first.config.session_id, "session")
    return first.config


def _end(reason: stream_pb2.StreamEndReason.ValueType) -> pb.IngestPosesResponse:
    message = (
        "every pose that was sent has been handled"
        if reason == stream_pb2.STREAM_END_REASON_COMPLETE
        else "this replica is shutting down; connect again at once"
    )
    return pb.IngestPosesResponse(end=stream_pb2.StreamEnd(reason=reason, message=message))
