"""One session at one replica: poses wait here to be stored, and while this replica holds the lease it also matches."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from komi.common.v1 import stream_pb2
from services.mesh.lease import Lease
from services.mesh.redis import UNREACHABLE, RedisError
from services.mesh.sessions import SessionConfig
from services.mesh.telemetry import DROPS
from services.mesh.times import drop_name
from services.sync import metrics
from services.sync.errors import Fenced, Moved
from services.sync.frames import Frame
from services.sync.holder import Holder
from services.sync.house import House
from services.sync.parts import Parts
from services.sync.store import Stored, arrivals_channel, lease_key
from services.sync.tally import Reason, Tally

log = structlog.get_logger()

BATCH = 64
"""Poses handled in one script: bounds how long Redis is held."""
HOLD_S = 0.02
"""A pose waits this long at most for those of other cameras, to be handled with them by one script. Only while the set
would wait for these anyway."""
RETRY_S = 0.05
REFUSED = {
    Stored.LATE: stream_pb2.DROP_REASON_LATE,
    Stored.DUPLICATE: stream_pb2.DROP_REASON_DUPLICATE,
}


class SessionWorker:
    """Runs one session. `offer` never waits; `run` does the work until cancelled, then `close` lets the lease go."""

    def __init__(self, session_id: str, parts: Parts, *, leaving: bool = False) -> None:
        """`leaving`: from the start as after `hand_over`."""
        self.session_id = session_id
        self._parts = parts
        self._pending: deque[tuple[Frame, Tally]] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._holding: asyncio.TimerHandle | None = None
        self._lease = Lease(parts.redis, lease_key(session_id), parts.replica_id, parts.settings.lease_s)
        self.holder = Holder(session_id, parts)
        self.holds = False
        """Whether this replica matches the session."""
        self._leaving = asyncio.Event()
        if leaving:
            self._leaving.set()
        self.last_offer = time.monotonic()
        self.house = House(self, parts)
        self._configured = False
        self._corrections_us: dict[str, int] = {}

    # ------------------------------------------------------------ in
    def offer(self, frames: Sequence[Frame], tally: Tally) -> None:
        """Take poses that came together. When too many wait, the oldest are given up and counted."""
        self.last_offer = time.monotonic()
        tally.take(len(frames))
        self._pending.extend((frame, tally) for frame in frames)
        while len(self._pending) > self._parts.settings.buffer:
            lost, loser = self._pending.popleft()
            loser.done()
            self._drop(stream_pb2.DROP_REASON_UNREACHABLE, lost.camera_id, loser)
        if not self._may_hold():
            self._wake.set()
        elif self._holding is None:
            self._holding = asyncio.get_running_loop().call_later(HOLD_S, self._wake.set)

    def _may_hold(self) -> bool:
        if not self.holds or len(self._pending) >= BATCH:
            return False
        frames = [frame for frame, _ in self._pending]
        return self.holder.matcher.waits_beside(frames, frames[-1].arrival_us)

    def _announced(self, message: bytes | None) -> None:
        if message is None:
            self.holder.stale = True
        else:
            self.holder.announced(message)
        self._wake.set()

    # ------------------------------------------------------------ the loop
    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_lease(), name=f"sync-lease-{self.session_id}")
            group.create_task(self._work(), name=f"sync-work-{self.session_id}")
            group.create_task(self.house.run(), name=f"sync-house-{self.session_id}")

    async def _work(self) -> None:
        task = asyncio.current_task()
        # A cancellation may be taken for its own by redis, which does so while it connects; a group cancels once only.
        while task is not None and not task.cancelling():
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._turn()
            except (Fenced, Moved) as error:
                log.info("session state moved", session=self.session_id, reason=error.reason)
                self.holder.stale = True
                if isinstance(error, Fenced):
                    await self._stand_back()
                self._wake.set()
            except (*UNREACHABLE, RedisError) as error:
                log.warning("Redis does not answer", session=self.session_id, error=type(error).__name__)
                self.holder.stale = True
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _turn(self) -> None:
        if not self._configured:
            # Before anything is stored: a camera may be put right by what another replica found.
            await self.house.read_config()
            self._configured = True
        if self._lease.held and not self.holds:
            await self._take_over()
        elif self.holds and not self._lease.held:
            await self._stand_back()
        while True:
            await self._handle_batch()
            if not self._pending and not (self.holds and self.holder.stale):
                break
        self._set_timer()

    async def _handle_batch(self) -> None:
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None
        batch = [self._pending.popleft() for _ in range(min(BATCH, len(self._pending)))]
        try:
            outcomes = await self._handle([self._corrected(frame) for frame, _ in batch])
        except BaseException:
            # Not known to be stored: try again. What was stored after all is refused as a duplicate then.
            self._pending.extendleft(reversed(batch))
            raise
        stored = 0
        for (frame, tally), outcome in zip(batch, outcomes, strict=True):
            tally.done()
            if outcome is Stored.STORED:
                stored += 1
                tally.stored += 1
            else:
                self._drop(REFUSED[outcome], frame.camera_id, tally)
        self.holder.metrics.ingested.inc(stored)

    def _corrected(self, frame: Frame) -> Frame:
        lag_us = self._corrections_us.get(frame.camera_id)
        return replace(frame, time_us=frame.time_us - lag_us) if lag_us else frame

    async def _handle(self, frames: Sequence[Frame]) -> Sequence[Stored]:
        if self.holds:
            if self.holder.stale:
                await self.holder.load(self._token())
            return await self.holder.turn(self._token(), frames)
        if not frames:
            return ()
        answer = await self._parts.store.ingest(self.session_id, frames)
        self.holder.committed_us = max(self.holder.committed_us, answer.watermark_us)
        if answer.overflow:
            DROPS.labels("sync", "ingest", drop_name(stream_pb2.DROP_REASON_OVERFLOW)).inc(answer.overflow)
        return answer.outcomes

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.holds:
            return
        now_us = self._parts.clock.now_us()
        wake_us = self.holder.matcher.next_wake_us(now_us)
        if wake_us is not None:
            pulse = self._parts.pulse
            left_s = max(0.001, (wake_us - now_us) / 1e6, pulse.catching_up_s())
            self._beat_until(pulse.now_s() + left_s)

    def _beat_until(self, due_s: float) -> None:
        """Wake at `due_s`, and beat for a moment before: some camera may be given up then."""
        pulse = self._parts.pulse
        delay_s = pulse.next_beat_s(due_s) - pulse.now_s()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._beat, due_s)

    def _beat(self, due_s: float) -> None:
        pulse = self._parts.pulse
        pulse.beat()
        if pulse.now_s() >= due_s:
            self._wake.set()
        else:
            self._beat_until(due_s)

    # ------------------------------------------------------------ holding
    async def _keep_lease(self) -> None:
        period_s = self._parts.settings.lease_s / 3
        while not self._leaving.is_set():
            pause_s = period_s
            try:
                if self._lease.held:
                    # Sets that leave renew it too.
                    left_s = self.holder.renewed_s + period_s - time.monotonic()
                    if left_s > 0:
                        pause_s = left_s
                    else:
                        await self._lease.renew()
                elif not await self._lease.acquire():
                    pause_s = min(period_s, self._lease.free_in_s + 0.005)
                elif self._leaving.is_set():
                    # `hand_over` came while it was asked for, and had nothing to give up.
                    await self._lease.release()
            except (*UNREACHABLE, RedisError):
                pause_s = RETRY_S
            if self._lease.held != self.holds:
                self._wake.set()
            await asyncio.sleep(pause_s)

    async def _take_over(self) -> None:
        await self._parts.feed.listen(arrivals_channel(self.session_id), self._announced)
        await self.house.read_config()
        await self.holder.load(self._token())
        self.holds = True
        metrics.HELD.inc()
        log.info(
            "took the session over",
            session=self.session_id,
            fence=self._lease.token,
            sets=self.holder.sets,
        )

    def _token(self) -> int:
        """The fencing token. Raises Fenced: the lease was lost, or given up, while something else was waited for. A
        store that knows of no holder yet would take 0.
        """
        if not self._lease.held:
            raise Fenced(f"session {self.session_id!r} is no longer this replica's")
        return self._lease.token

    async def _stand_back(self) -> None:
        """The lease is lost: whoever has it matches from here on."""
        self._lease.token = 0
        if self.holds:
            self.holds = False
            metrics.HELD.dec()
            self.holder.forget()
            log.info("another replica has the session", session=self.session_id)
        await self._parts.feed.leave(arrivals_channel(self.session_id))
        self._wake.set()

    async def hand_over(self) -> None:
        """Let another replica take over now; what still comes in here is stored for it."""
        self._leaving.set()
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
    def idle_s(self) -> float:
        """Seconds since a pose was last offered here."""
        return time.monotonic() - self.last_offer

    # ------------------------------------------------------------ told
    def correct(self, corrections_us: Mapping[str, int]) -> None:
        """Take these off the cameras' times from the next pose on, microseconds."""
        if corrections_us != self._corrections_us:
            log.info("times corrected", session=self.session_id, lag_us=dict(corrections_us))
            self._corrections_us = dict(corrections_us)
            self.holder.views.forget()

    def configure(self, config: SessionConfig, corrections_us: Mapping[str, int]) -> None:
        """Do as the session's configuration says from the next set on."""
        self.correct(corrections_us)
        self.holder.configure(config)
        if self.holder.stale:
            self._wake.set()

    # ------------------------------------------------------------ counting
    def _drop(self, reason: Reason, camera_id: str, tally: Tally) -> None:
        tally.drop(reason)
        name = drop_name(reason)
        self.holder.figures.drop(camera_id, name)
        DROPS.labels("sync", "ingest", name).inc()
