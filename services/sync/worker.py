"""One session at one replica: stores what arrives here and, while it holds the lease, matches and emits."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from komi.common.v1 import frame_pb2, pose_pb2, stream_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.errors import NotFound
from services.mesh.lease import Lease
from services.mesh.redis import UNREACHABLE, RedisClient, RedisError
from services.mesh.server_clock import ServerClock
from services.mesh.sessions import SessionConfig, SessionStore
from services.mesh.telemetry import DROPS
from services.mesh.times import drop_name
from services.sync import codec, metrics
from services.sync.config import SyncSettings
from services.sync.errors import Fenced, Moved
from services.sync.feed import Feed
from services.sync.figures import Figures
from services.sync.frames import Frame
from services.sync.matcher import Group, Missing, SessionMatcher
from services.sync.status import describe, export
from services.sync.store import Stored, SyncStore, arrivals_channel, lease_key, parse_arrival
from services.sync.ticks import TickMatcher

log = structlog.get_logger()

BATCH = 64
"""Poses stored in one script: bounds how long Redis is held."""
STUCK_S = 0.1
"""A number that another replica's message should have brought by now was lost."""
RETRY_S = 0.05
HOUSEKEEPING_S = 1.0
MOST_GROUPED = 2
"""Sessions of more cameras are resampled, unless they say otherwise."""

Reason: TypeAlias = "stream_pb2.DropReason.ValueType"


@dataclass
class Tally:
    """What became of the poses of one ingest stream."""

    stored: int = 0
    dropped: dict[Reason, int] = field(default_factory=dict)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nothing waits to be stored."""
    _pending: int = 0

    def take(self) -> None:
        """One pose more waits."""
        self._pending += 1
        self.settled.clear()

    def done(self) -> None:
        """One waits no longer."""
        self._pending -= 1
        if not self._pending:
            self.settled.set()

    def drop(self, reason: Reason) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is made from; shared by all sessions of a replica."""

    replica_id: str
    settings: SyncSettings
    redis: RedisClient
    store: SyncStore
    sessions: SessionStore
    clock: ServerClock
    feed: Feed


class SessionWorker:
    """Runs one session. `offer` never waits; `run` does the work until cancelled, then `close` lets the lease go."""

    def __init__(self, session_id: str, parts: Parts) -> None:
        self.session_id = session_id
        self._parts = parts
        self._pending: deque[tuple[Frame, Tally]] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._lease = Lease(parts.redis, lease_key(session_id), parts.replica_id, parts.settings.lease_s)
        self._arrived: deque[bytes] = deque(maxlen=parts.settings.most_frames)
        self.matcher = self._new_matcher(False)
        self.sets = 0
        self._committed_us = 0
        self.holds = False
        """Whether this replica matches the session."""
        self._reload = False
        self._forget: list[str] = []
        self._seen_number = 0
        self._ahead: set[int] = set()
        self._stuck_since: float | None = None
        self.last_offer = time.monotonic()
        self.figures = Figures()
        self._clocks: dict[str, tuple[frame_pb2.ClockStatus | None, frame_pb2.TimeSource.ValueType]] = {}
        self._redis_bytes = 0

    # ------------------------------------------------------------ in
    def offer(self, frame: Frame, tally: Tally) -> None:
        """Take a pose. When too many wait, the oldest is given up and counted."""
        self.last_offer = time.monotonic()
        tally.take()
        self._pending.append((frame, tally))
        while len(self._pending) > self._parts.settings.buffer:
            lost, loser = self._pending.popleft()
            loser.done()
            self._drop(stream_pb2.DROP_REASON_UNREACHABLE, lost.camera_id, loser)
        self._wake.set()

    def _heard(self, message: bytes | None) -> None:
        if message is None:
            self._reload = True
        else:
            self._arrived.append(message)
        self._wake.set()

    # ------------------------------------------------------------ the loop
    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_lease(), name=f"sync-lease-{self.session_id}")
            group.create_task(self._work(), name=f"sync-work-{self.session_id}")
            group.create_task(self._keep_house(), name=f"sync-house-{self.session_id}")

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._turn()
            except (Fenced, Moved) as error:
                log.info("session state moved", session=self.session_id, reason=error.reason)
                await self._stand_back(lost=isinstance(error, Fenced))
            except (*UNREACHABLE, RedisError) as error:
                log.warning("Redis does not answer", session=self.session_id, error=type(error).__name__)
                self._reload = True
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _turn(self) -> None:
        if self._lease.held and not self.holds:
            await self._take_over()
        elif self.holds and not self._lease.held:
            await self._stand_back(lost=True)
        elif self.holds and self._reload:
            await self._load()
        while self._pending:
            await self._store()
            await self._emit()
        self._take_arrived()
        await self._emit()
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.holds:
            return
        now_us = self._parts.clock.now_us()
        wake_us = self.matcher.next_wake_us(now_us)
        if wake_us is not None:
            delay_s = max(0.001, (wake_us - now_us) / 1e6)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake.set)

    # ------------------------------------------------------------ storing
    async def _store(self) -> None:
        batch = [self._pending.popleft() for _ in range(min(BATCH, len(self._pending)))]
        try:
            answer = await self._parts.store.ingest(
                self.session_id, self._parts.replica_id, [frame for frame, _ in batch]
            )
        except BaseException:
            # Not known to be stored: try again. What was stored after all is refused as a duplicate then.
            self._pending.extendleft(reversed(batch))
            raise
        if not self.holds:
            self._committed_us = max(self._committed_us, answer.watermark_us)
        stored = sum(outcome is Stored.STORED for outcome in answer.outcomes)
        number = answer.arrivals - stored
        for (frame, tally), outcome in zip(batch, answer.outcomes, strict=True):
            tally.done()
            if outcome is Stored.STORED:
                number += 1
                tally.stored += 1
                self._number(number)
                if self.holds:
                    self.matcher.add(frame)
            elif outcome is Stored.LATE:
                self._drop(stream_pb2.DROP_REASON_LATE, frame.camera_id, tally)
                self.matcher.missed(frame)
            else:
                self._drop(stream_pb2.DROP_REASON_DUPLICATE, frame.camera_id, tally)
        metrics.INGESTED.labels(self.session_id).inc(stored)
        if answer.overflow:
            DROPS.labels("sync", "ingest", drop_name(stream_pb2.DROP_REASON_OVERFLOW)).inc(answer.overflow)
            self._reload = True
            self._wake.set()

    def _take_arrived(self) -> None:
        """Messages of other replicas: frames that are in the store already."""
        while self._arrived:
            number, frame = parse_arrival(self._arrived.popleft())
            self._number(number)
            if not self.holds:
                continue
            self.heard_of_clock(pose_pb2.PoseFrame.FromString(frame.payload))
            if frame.time_us <= self.matcher.watermark_us:
                self.matcher.missed(frame)
                self._forget.append(frame.member)
                self._drop(stream_pb2.DROP_REASON_LATE, frame.camera_id)
            else:
                self.matcher.add(frame)
        if self.holds and self._stuck_since is not None and time.monotonic() - self._stuck_since > STUCK_S:
            self._reload = True
            self._wake.set()

    def _number(self, number: int) -> None:
        """Notice arrivals that never came: the numbers have no gaps."""
        if not self.holds or number <= self._seen_number:
            return
        self._ahead.add(number)
        while self._seen_number + 1 in self._ahead:
            self._seen_number += 1
            self._ahead.discard(self._seen_number)
        if not self._ahead:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = time.monotonic()

    # ------------------------------------------------------------ emitting
    async def _emit(self) -> None:
        if not self.holds or self._reload:
            return
        groups = self.matcher.poll(self._parts.clock.now_us())
        if not groups:
            return
        fence = self._lease.token
        # A tick may use frames up and yet have nothing to show.
        shown = [group for group in groups if group.there]
        encoded = [
            codec.encode_set(self.session_id, self.sets + 1 + n, fence, group)
            for n, group in enumerate(shown)
        ]
        # Until Redis says otherwise nobody knows whether this happened: the state is loaded again after an error.
        self._reload = True
        await self._parts.store.commit(
            self.session_id,
            fence,
            (self._committed_us, self.matcher.watermark_us),
            self.sets,
            encoded,
            [frame for group in groups for frame in group.members],
            self._forget,
        )
        self._reload = False
        self._forget = []
        self.sets += len(shown)
        self._committed_us = self.matcher.watermark_us
        self._observe(shown)

    def _observe(self, groups: Sequence[Group]) -> None:
        now_us = self._parts.clock.now_us()
        for group in groups:
            full = not any(why is not Missing.IDLE for why in group.missing.values())
            metrics.SETS.labels(self.session_id, str(full).lower()).inc()
            metrics.SPREAD.labels(self.session_id).observe(group.spread_us / 1e6)
            last_us = max(frame.arrival_us for frame in group.there)
            metrics.WAIT.labels(self.session_id).observe(max(0, now_us - last_us) / 1e6)
        self.figures.add(groups)

    # ------------------------------------------------------------ holding
    async def _keep_lease(self) -> None:
        period_s = self._parts.settings.lease_s / 3
        while True:
            pause_s = period_s
            try:
                if self._lease.held:
                    await self._lease.renew()
                elif not await self._lease.acquire():
                    pause_s = min(period_s, self._lease.free_in_s + 0.005)
            except (*UNREACHABLE, RedisError):
                pause_s = RETRY_S
            if self._lease.held != self.holds:
                self._wake.set()
            await asyncio.sleep(pause_s)

    async def _take_over(self) -> None:
        await self._parts.feed.listen(arrivals_channel(self.session_id), self._heard)
        await self._read_config()
        await self._load()
        self.holds = True
        metrics.HELD.inc()
        log.info("took the session over", session=self.session_id, fence=self._lease.token, sets=self.sets)

    async def _load(self) -> None:
        self._reload = False
        claimed = await self._parts.store.claim(
            self.session_id, self._lease.token, self._committed_us, self.sets
        )
        self.sets, self._committed_us = claimed.sets, claimed.watermark_us
        self._seen_number, self._stuck_since = claimed.arrivals, None
        self._ahead.clear()
        self._forget = []
        self.matcher.restore(claimed.watermark_us, claimed.frames, self._parts.clock.now_us())

    async def _stand_back(self, *, lost: bool) -> None:
        """Stop matching; with `lost` False the lease is still ours and the next turn loads the state."""
        self._reload = True
        if lost:
            self._lease.token = 0
        if lost and self.holds:
            self.holds = False
            metrics.HELD.dec()
            self.matcher = self._new_matcher(isinstance(self.matcher, TickMatcher), self.matcher.cameras)
            await self._parts.feed.leave(arrivals_channel(self.session_id))
            log.info("another replica has the session", session=self.session_id)
        self._wake.set()

    async def close(self) -> None:
        """Let the lease go so that another replica takes over at once."""
        if self._timer is not None:
            self._timer.cancel()
        if self.holds:
            self.holds = False
            metrics.HELD.dec()
        await self._parts.feed.leave(arrivals_channel(self.session_id))
        with contextlib.suppress(*UNREACHABLE, RedisError):
            await self._lease.release()

    @property
    def watermark_us(self) -> int:
        """Sets at or before it are final; 0 while unknown."""
        return self._committed_us

    @property
    def idle_s(self) -> float:
        """Seconds since a pose was last offered here."""
        return time.monotonic() - self.last_offer

    # ------------------------------------------------------------ telling
    def heard_of_clock(self, pose: pose_pb2.PoseFrame) -> None:
        """Remember what the pose says of its camera's clock."""
        clock = pose.clock if pose.HasField("clock") else self._clocks.get(pose.id.camera_id, (None,))[0]
        self._clocks[pose.id.camera_id] = (clock, pose.time.source)

    def status(self) -> pb.GetSessionStatusResponse:
        """The session as this replica sees it; only the holder sees all."""
        return describe(
            self.session_id,
            self.matcher,
            self.figures,
            self._clocks,
            sets=self.sets,
            now_us=self._parts.clock.now_us(),
            replica_id=self._parts.replica_id,
            redis_bytes=self._redis_bytes,
        )

    async def _read_config(self) -> None:
        try:
            config = await self._parts.sessions.get(self.session_id)
        except NotFound:
            # A camera may name a session that nobody configured.
            config = SessionConfig(self.session_id)
        self._configure(config)

    def _configure(self, config: SessionConfig) -> None:
        self.matcher.cameras = config.cameras
        cameras = len(config.cameras or self.matcher.tracks)
        resample = config.resample if config.resample is not None else cameras > MOST_GROUPED
        if resample == isinstance(self.matcher, TickMatcher):
            return
        tracks, self.matcher = self.matcher.tracks, self._new_matcher(resample, config.cameras)
        self.matcher.tracks = tracks
        self._reload = True
        self._wake.set()

    def _new_matcher(self, resample: bool, cameras: Sequence[str] = ()) -> SessionMatcher:
        rules = self._parts.settings.rules()
        return TickMatcher(rules, codec.to_sample, cameras) if resample else SessionMatcher(rules, cameras)

    async def _keep_house(self) -> None:
        """Once a second: the session's configuration in, its status out."""
        store = self._parts.store
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            if not self.holds:
                continue
            with contextlib.suppress(*UNREACHABLE, RedisError):
                await self._read_config()
                self._redis_bytes = await store.size(self.session_id)
                status = self.status()
                export(status, self.matcher.waiting)
                active = any(not camera.idle for camera in status.cameras)
                now_us = self._parts.clock.now_us()
                await store.tell(self.session_id, status.SerializeToString(), now_us if active else None)

    # ------------------------------------------------------------ counting
    def _drop(self, reason: Reason, camera_id: str, tally: Tally | None = None) -> None:
        if tally is not None:
            tally.drop(reason)
        name = drop_name(reason)
        self.figures.drop(camera_id, name)
        DROPS.labels("sync", "ingest", name).inc()
