"""Hands poses on to sync: one stream a session, bounded, again and again until sync takes them.

What sync has not acknowledged is sent once more after a reconnect; sync stores a pose sent twice once.

Poses that wait leave in one message. They wait while the message before them is held up; for a moment, while another
pose of their set is on its way; and where sync says it is busy for as long as it says, but only while others come that
fast, and never longer than until each camera has brought its own. A sync that does not speak of batches gets poses one by
one.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

import grpc
import structlog

from komi.common.v1 import pose_pb2, stream_pb2
from komi.sync.v1 import sync_service_pb2, sync_service_pb2_grpc
from services.mesh.times import from_duration
from services.pose import metrics

log = structlog.get_logger()

Request = sync_service_pb2.IngestPosesRequest
Call = grpc.aio.StreamStreamCall[Request, sync_service_pb2.IngestPosesResponse]

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
RECENT = 15
"""Poses by whose pace a feed judges whether waiting for another one is worth it."""
UNACKNOWLEDGED = 256
"""Poses kept to be sent again; about a second's worth of eight cameras."""
COMPANY_S = 0.02
"""A pose waits this long at most for another of its set that is still being looked at, as it would in sync."""
QUIET_S = 30.0
"""A session that sends nothing for so long gives its stream back."""


class SessionFeed:
    """The poses of one session on their way to sync."""

    def __init__(
        self,
        stub: "sync_service_pb2_grpc.SyncServiceAsyncStub",
        config: sync_service_pb2.IngestConfig,
        capacity: int,
        now_ns: Callable[[], int],
    ) -> None:
        self._stub = stub
        self._config = config
        self._capacity = capacity
        self._now_ns = now_ns
        self._waiting: deque[pose_pb2.PoseFrame] = deque()
        self._sent: deque[pose_pb2.PoseFrame] = deque(maxlen=UNACKNOWLEDGED)
        self._wake = asyncio.Event()
        self._closing = False
        self._most_batched = 1
        self._gather_s = 0.0
        """How long sync would have a pose wait for others."""
        self._intervals_ns: deque[int] = deque(maxlen=RECENT)
        self._last_put_ns = 0
        self._quiet = False
        """No pose has come for QUIET_S."""
        self._round: set[str] = set()
        """Cameras that brought a pose since one of them brought its last."""
        self._cameras = 0
        """How many brought one in the round before."""
        self._enough = asyncio.Event()
        """Waiting for more is of no use."""
        self._held: asyncio.TimerHandle | None = None
        """Set while what waits is kept for company."""
        self._log = log.bind(session=config.session_id)

    @property
    def empty(self) -> bool:
        """Nothing waits."""
        return not self._waiting

    def put(self, frame: pose_pb2.PoseFrame, *, company: bool = False) -> None:
        """Queue a pose; a full queue gives up its oldest. `company`: another of its set is on its way."""
        if len(self._waiting) >= self._capacity:
            self._waiting.popleft()
            metrics.dropped("sync", stream_pb2.DROP_REASON_UNREACHABLE)
        else:
            metrics.BUFFERED.inc()
        self._waiting.append(frame)
        now_ns = self._now_ns()
        self._intervals_ns.append(now_ns - self._last_put_ns)
        self._last_put_ns = now_ns
        self._quiet = False
        if frame.id.camera_id in self._round:
            self._cameras = len(self._round)
            self._round.clear()
        self._round.add(frame.id.camera_id)
        if len(self._round) >= self._cameras or len(self._waiting) >= self._most_batched:
            self._enough.set()
        else:
            self._enough.clear()
        if not company or len(self._waiting) >= self._most_batched:
            self._release()
        elif self._held is None:
            self._held = asyncio.get_running_loop().call_later(COMPANY_S, self._release)

    def _release(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None
        self._wake.set()

    def close(self) -> None:
        """Send what waits, then end the stream."""
        self._closing = True
        self._release()
        self._enough.set()

    async def run(self) -> None:
        """Keep a stream to sync open until `close`, or until the session falls quiet."""
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                began_ns = self._now_ns()
                try:
                    again = await self._stream()
                except grpc.aio.AioRpcError as error:
                    # Whatever the status: a broken connection may end a stream as INTERNAL as well as UNAVAILABLE, and
                    # sending again is safe, since sync stores a pose sent twice once.
                    if self._now_ns() - began_ns > LONGEST_PAUSE_S * 1e9:
                        pause_s = FIRST_PAUSE_S
                    self._log.warning(
                        "sync does not take poses",
                        code=error.code().name,
                        details=error.details(),
                        pause_s=pause_s,
                    )
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    continue
                if not again:
                    return
                pause_s = FIRST_PAUSE_S
                if self._now_ns() - began_ns < pause_s * 1e9:
                    # Moved on at once, and perhaps again and again.
                    await asyncio.sleep(pause_s)
        finally:
            if self._held is not None:
                self._held.cancel()
            metrics.BUFFERED.dec(len(self._waiting))
            for _ in self._waiting:
                metrics.dropped("sync", stream_pb2.DROP_REASON_DRAINING)

    async def _stream(self) -> bool:
        """One stream's life. True: sync ended it and asks to connect again. Raises AioRpcError."""
        call: Call = self._stub.IngestPoses()
        # Another replica may answer this one: it will say how it wants its poses.
        self._most_batched, self._gather_s = 1, 0.0
        writer = asyncio.create_task(self._write(call), name="sync-writer")
        watch = asyncio.create_task(self._watch(), name="sync-watch")
        try:
            ended = await self._read(call)
            return ended and not (self._closing and self.empty)
        finally:
            watch.cancel()
            writer.cancel()
            call.cancel()
            # Who is cancelled here too must not go on to the next stream: gather passes that on.
            _, wrote = await asyncio.gather(watch, writer, return_exceptions=True)
            if isinstance(wrote, Exception) and not isinstance(
                wrote, grpc.aio.AioRpcError | asyncio.InvalidStateError
            ):
                raise wrote

    async def _write(self, call: Call) -> None:
        await call.write(Request(config=self._config))
        for frame in list(self._sent):
            await call.write(Request(pose=frame))
        while await self._something_waits():
            if self._gathers():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._gather_s):
                        await self._enough.wait()
            frames = [self._waiting.popleft() for _ in range(min(self._most_batched, len(self._waiting)))]
            now_ns = self._now_ns()
            for frame in frames:
                frame.stamps.published_monotonic_ns = now_ns
            metrics.BUFFERED.dec(len(frames))
            self._sent.extend(frames)
            await call.write(_request(frames))
            metrics.FORWARDED.inc(len(frames))
        await call.done_writing()

    def _gathers(self) -> bool:
        """Whether another pose is likely to come while the first one waits: half of the last ones came that soon."""
        if not self._gather_s or self._enough.is_set():
            return False
        return sorted(self._intervals_ns)[len(self._intervals_ns) // 2] < self._gather_s * 1e9

    async def _something_waits(self) -> bool:
        while not self._waiting or self._held is not None:
            if not self._waiting and (self._closing or self._quiet):
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    async def _watch(self) -> None:
        """See whether the session falls quiet: one timer now and then in place of one a pose."""
        left_s = QUIET_S
        while True:
            await asyncio.sleep(left_s)
            left_s = QUIET_S - (self._now_ns() - self._last_put_ns) / 1e9
            if left_s <= 0:
                self._quiet = not self._waiting
                self._wake.set()
                left_s = QUIET_S

    async def _read(self, call: Call) -> bool:
        handled = 0
        dropped = failed = 0
        async for response in call:
            match response.WhichOneof("payload"):
                case "dropped":
                    dropped += response.dropped.count
                case "failed":
                    failed += 1
                case "end":
                    return response.end.reason != stream_pb2.STREAM_END_REASON_COMPLETE
                case "ack":
                    self._most_batched = max(1, response.ack.most_batched)
                    self._gather_s = from_duration(response.ack.gather) / 1e6
                    now_handled = response.ack.stored + dropped + failed
                    for _ in range(min(now_handled - handled, len(self._sent))):
                        self._sent.popleft()
                    handled = now_handled
        return True


def _request(frames: list[pose_pb2.PoseFrame]) -> Request:
    """One message of these poses; each is copied once."""
    if len(frames) == 1:
        return Request(pose=frames[0])
    request = Request()
    request.batch.poses.extend(frames)
    return request


class SyncForwarder:
    """A feed for each session that has poses."""

    def __init__(
        self, channel: grpc.aio.Channel, replica_id: str, *, capacity: int, now_ns: Callable[[], int]
    ) -> None:
        self._stub = sync_service_pb2_grpc.SyncServiceStub(channel)
        self._replica_id = replica_id
        self._capacity = capacity
        self._now_ns = now_ns
        self._feeds: dict[str, tuple[SessionFeed, asyncio.Task[None]]] = {}

    def publish(self, frame: pose_pb2.PoseFrame, *, company: bool = False) -> None:
        """Queue a pose for its session. Never waits. `company`: another of its set is on its way."""
        session_id = frame.id.session_id
        known = self._feeds.get(session_id)
        if known is None or known[1].done():
            known = self._open(session_id)
        known[0].put(frame, company=company)

    def _open(self, session_id: str) -> tuple[SessionFeed, "asyncio.Task[None]"]:
        config = sync_service_pb2.IngestConfig(session_id=session_id, replica_id=self._replica_id)
        feed = SessionFeed(self._stub, config, self._capacity, self._now_ns)
        opened = feed, asyncio.create_task(feed.run(), name=f"sync-feed {session_id}")
        self._feeds = {name: known for name, known in self._feeds.items() if not known[1].done()}
        self._feeds[session_id] = opened
        return opened

    async def close(self, flush_s: float = 0.5) -> None:
        """Give what waits a moment to leave, then end."""
        tasks = [task for _, task in self._feeds.values()]
        for feed, _ in self._feeds.values():
            feed.close()
        if tasks:
            await asyncio.wait(tasks, timeout=flush_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._feeds.clear()
