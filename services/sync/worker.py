"""One session at one replica: stores what arrives here and, while it holds the lease, matches and emits."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from komi.common.v1 import pose_pb2, stream_pb2
from services.mesh.lease import Lease
from services.mesh.redis import UNREACHABLE, RedisError
from services.mesh.sessions import SessionConfig
from services.mesh.telemetry import DROPS
from services.mesh.times import drop_name
from services.sync import codec, metrics
from services.sync.arrivals import ArrivalNumbers
from services.sync.errors import Fenced, Moved
from services.sync.figures import Figures
from services.sync.frames import Frame
from services.sync.groups import Group, Missing
from services.sync.house import House
from services.sync.matcher import SessionMatcher
from services.sync.parts import Parts
from services.sync.store import Stored, arrivals_channel, lease_key, parse_arrival
from services.sync.tally import Reason, Tally
from services.sync.ticks import TickMatcher
from services.sync.views import Views

log = structlog.get_logger()

BATCH = 64
"""Poses stored in one script: bounds how long Redis is held."""
HOLD_S = 0.003
"""A pose waits this long at most for those of other cameras, to be stored with them by one script. Only while the set
would wait for these anyway."""
RETRY_S = 0.05
TAKE_OVER_US = 2_000_000
"""Cameras that were heard of within this time are expected after a take-over."""
MOST_GROUPED = 2
"""Sessions of more cameras are resampled, unless they say otherwise."""


class SessionWorker:
    """Runs one session. `offer` never waits; `run` does the work until cancelled, then `close` lets the lease go."""

    def __init__(self, session_id: str, parts: Parts) -> None:
        self.session_id = session_id
        self._parts = parts
        self._pending: deque[tuple[Frame, Tally]] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._holding: asyncio.TimerHandle | None = None
        self._lease = Lease(parts.redis, lease_key(session_id), parts.replica_id, parts.settings.lease_s)
        self._arrived: deque[bytes] = deque(maxlen=parts.settings.most_frames)
        self.matcher = self._new_matcher(False)
        self.sets = 0
        self._committed_us = 0
        self.holds = False
        """Whether this replica matches the session."""
        self._reload = False
        self._leaving = False
        self._forget: list[str] = []
        self._numbers = ArrivalNumbers()
        self.last_offer = time.monotonic()
        self.figures = Figures()
        self.views = Views(codec.to_sample)
        self.house = House(self, parts)
        self._corrections_us: dict[str, int] = {}

    # ------------------------------------------------------------ in
    def offer(self, frame: Frame, tally: Tally) -> None:
        """Take a pose. When too many wait, the oldest is given up and counted."""
        self.last_offer = time.monotonic()
        if correction_us := self._corrections_us.get(frame.camera_id):
            frame = replace(frame, time_us=frame.time_us - correction_us)
        tally.take()
        self._pending.append((frame, tally))
        while len(self._pending) > self._parts.settings.buffer:
            lost, loser = self._pending.popleft()
            loser.done()
            self._drop(stream_pb2.DROP_REASON_UNREACHABLE, lost.camera_id, loser)
        if not self._may_hold():
            self._wake.set()
        elif self._holding is None:
            self._holding = asyncio.get_running_loop().call_later(HOLD_S, self._wake.set)

    def _may_hold(self) -> bool:
        """Whether the next set waits for some camera of which nothing is here yet."""
        if not self.holds or len(self._pending) >= BATCH:
            return False
        here = {frame.camera_id for frame, _ in self._pending}
        final_us = self.matcher.watermark_us
        return any(
            track.newest_us <= final_us and track.camera_id not in here
            for track in self.matcher.cameras.active(self._parts.clock.now_us())
        )

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
            group.create_task(self.house.run(), name=f"sync-house-{self.session_id}")

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
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None
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
        number, now_s = answer.arrivals - stored, time.monotonic()
        for (frame, tally), outcome in zip(batch, answer.outcomes, strict=True):
            tally.done()
            if outcome is Stored.STORED:
                number += 1
                tally.stored += 1
                self._numbers.heard(number, now_s)
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
            self._numbers.heard(number, time.monotonic())
            if not self.holds:
                continue
            self.house.heard_of_clock(pose_pb2.PoseFrame.FromString(frame.payload))
            if frame.time_us <= self.matcher.watermark_us:
                self.matcher.missed(frame)
                self._forget.append(frame.member)
                self._drop(stream_pb2.DROP_REASON_LATE, frame.camera_id)
            else:
                self.matcher.add(frame)
        if self.holds and self._numbers.lost(time.monotonic()):
            self._reload = True
            self._wake.set()

    # ------------------------------------------------------------ emitting
    async def _emit(self) -> None:
        if not self.holds or self._reload:
            return
        held_up_s = self._parts.pulse.held_up_s(asyncio.get_running_loop().time())
        groups = self.matcher.poll(self._parts.clock.now_us() - round(held_up_s * 1e6))
        if not groups:
            return
        fence = self._lease.token
        # A tick may use frames up and yet have nothing to show.
        shown = [group for group in groups if group.there]
        encoded = [
            codec.encode_set(self.session_id, self.sets + 1 + n, fence, group, self.views.fuse(group))
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
        while not self._leaving:
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
        await self.house.read_config()
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
        self._numbers.restart(claimed.arrivals)
        self._forget = []
        now_us = self._parts.clock.now_us()
        self.matcher.restore(claimed.watermark_us, claimed.frames, now_us)
        # Who takes over waits for the cameras that were there a moment ago, lest its first sets lack them.
        idle_us = self.matcher.rules.idle_us
        recent = [c for c, at_us in claimed.last_arrivals_us.items() if now_us - at_us < TAKE_OVER_US]
        self.matcher.cameras.expect(
            [c for c in recent if c not in self.matcher.cameras.tracks], now_us + idle_us
        )

    async def _stand_back(self, *, lost: bool) -> None:
        """Stop matching; with `lost` False the lease is still ours and the next turn loads the state."""
        self._reload = True
        if lost:
            self._lease.token = 0
        if lost and self.holds:
            self.holds = False
            metrics.HELD.dec()
            self.matcher = self._new_matcher(
                isinstance(self.matcher, TickMatcher), self.matcher.cameras.named
            )
            await self._parts.feed.leave(arrivals_channel(self.session_id))
            log.info("another replica has the session", session=self.session_id)
        self._wake.set()

    async def hand_over(self) -> None:
        """Let another replica take over now; what still comes in here is stored for it."""
        self._leaving = True
        with contextlib.suppress(*UNREACHABLE, RedisError):
            await self._lease.release()
        self._wake.set()

    async def close(self) -> None:
        """Leave nothing behind. Call when `run` has ended."""
        for timer in (self._timer, self._holding):
            if timer is not None:
                timer.cancel()
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

    # ------------------------------------------------------------ told
    def correct(self, corrections_us: Mapping[str, int]) -> None:
        """Take these off the cameras' times from the next pose on, microseconds."""
        if corrections_us != self._corrections_us:
            log.info("times corrected", session=self.session_id, lag_us=dict(corrections_us))
            self._corrections_us = dict(corrections_us)
            self.views.forget()

    def configure(self, config: SessionConfig, corrections_us: Mapping[str, int]) -> None:
        """Do as the session's configuration says from the next set on."""
        self.correct(corrections_us)
        self.views.calibrate(config.calibration_toml)
        self.matcher.cameras.named = config.cameras
        cameras = len(config.cameras or self.matcher.cameras.tracks)
        resample = config.resample if config.resample is not None else cameras > MOST_GROUPED
        if resample == isinstance(self.matcher, TickMatcher):
            return
        tracks, self.matcher = self.matcher.cameras.tracks, self._new_matcher(resample, config.cameras)
        self.matcher.cameras.tracks = tracks
        self._reload = True
        self._wake.set()

    def _new_matcher(self, resample: bool, cameras: Sequence[str] = ()) -> SessionMatcher:
        rules = self._parts.settings.rules()
        return TickMatcher(rules, codec.to_sample, cameras) if resample else SessionMatcher(rules, cameras)

    # ------------------------------------------------------------ counting
    def _drop(self, reason: Reason, camera_id: str, tally: Tally | None = None) -> None:
        if tally is not None:
            tally.drop(reason)
        name = drop_name(reason)
        self.figures.drop(camera_id, name)
        DROPS.labels("sync", "ingest", name).inc()
