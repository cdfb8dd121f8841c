"""The slow side of a session: its configuration in, its status out, and now and then a look at the pictures."""

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import structlog

from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.errors import NotFound
from services.mesh.redis import UNREACHABLE, RedisError
from services.mesh.sessions import SessionConfig
from services.mesh.times import from_duration
from services.sync.alarms import LARGEST_US, Alarms
from services.sync.parts import Parts
from services.sync.status import describe, export

if TYPE_CHECKING:
    from services.sync.worker import SessionWorker

log = structlog.get_logger()

PERIOD_S = 1.0
WEIGH_EVERY = 5
"""What the session takes in Redis is asked every so many periods."""
LOOK_EVERY = 3
"""The pictures are compared every so many periods …"""
CALM_LOOKS, CALM_EVERY = 2, 12
"""… and after so many looks that blamed nobody, every so many: a clock that was right for ten seconds rarely is wrong in
the next, and eight cameras take as much CPU to compare as they take in 40 frames."""
CORRECTIONS = "lag_us"
"""Name in SessionConfig.extra: JSON of camera to microseconds that its frames are to count as earlier."""
FOLLOW = "apply_content_lag"
"""Name in SessionConfig.extra: "1" or "true" asks for a correction of every lag that is found, for as long as it says
so."""


def lag_corrections(config: SessionConfig) -> dict[str, int]:
    """What the session asks to take off its cameras' times, microseconds; empty where it asks for nothing sensible."""
    try:
        asked = json.loads(config.extra.get(CORRECTIONS, "{}"))
        return {
            str(name): max(-LARGEST_US, min(LARGEST_US, int(us))) for name, us in asked.items() if int(us)
        }
    except (ValueError, TypeError, AttributeError):
        log.warning("unusable lag corrections", session=config.session_id)
        return {}


class House:
    """Keeps one worker's house. `run` works until cancelled."""

    def __init__(self, worker: "SessionWorker", parts: Parts) -> None:
        self._worker = worker
        self._parts = parts
        self._looked_us = 0
        self._calm_looks = 0
        self.alarms = Alarms()
        self._redis_bytes = 0
        self._told = 0

    def status(self) -> pb.GetSessionStatusResponse:
        """The session as this replica sees it; only the holder sees all."""
        holder = self._worker.holder
        return describe(
            holder.session_id,
            holder.matcher,
            holder.figures,
            holder.clocks,
            self.alarms,
            sets=holder.sets,
            now_us=self._parts.clock.now_us(),
            replica_id=self._parts.replica_id,
            redis_bytes=self._redis_bytes,
        )

    async def read_config(self) -> None:
        """Let the worker do as the session's configuration says. Raises UNREACHABLE."""
        try:
            config = await self._parts.sessions.get(self._worker.session_id)
        except NotFound:
            # A camera may name a session that nobody configured.
            config = SessionConfig(self._worker.session_id)
        problem = self._worker.holder.views.problem
        await self._read_corrections(config)
        self._worker.configure(config, self.alarms.corrections_us)
        found = self._worker.holder.views.problem
        if found is not None and found is not problem:
            log.warning("calibration not used", session=config.session_id, why=found.message)

    async def _read_corrections(self, config: SessionConfig) -> None:
        follow = config.extra.get(FOLLOW, "").lower() in ("1", "true")
        before = self.alarms.corrections_us
        self.alarms.ask(lag_corrections(config), follow=follow)
        if self.alarms.corrections_us != before:
            self._calm_looks = 0
        if not follow or self._worker.holds:
            return
        # The holder finds the lags, and whoever stores poses corrects them; a new holder goes on with the same.
        told = await self._parts.store.told(config.session_id)
        if told is not None:
            alarms = pb.GetSessionStatusResponse.FromString(told).alarms
            self.alarms.follow({a.camera_id: from_duration(a.applied_lag) for a in alarms if a.applied})

    async def run(self) -> None:
        """Work until cancelled."""
        since_look = 0
        while True:
            await asyncio.sleep(PERIOD_S)
            since_look += 1
            with contextlib.suppress(*UNREACHABLE, RedisError):
                await self.read_config()
                if self._worker.holds:
                    await self._tell()
            if self._worker.holds and since_look >= self._look_every:
                since_look = 0
                await self._look()

    @property
    def _look_every(self) -> int:
        return CALM_EVERY if self._calm_looks >= CALM_LOOKS else LOOK_EVERY

    async def _tell(self) -> None:
        session_id, store = self._worker.session_id, self._parts.store
        if self._told % WEIGH_EVERY == 0:
            self._redis_bytes = await store.size(session_id)
        self._told += 1
        status = self.status()
        export(status, self._worker.holder.matcher.waiting)
        active = any(not camera.idle for camera in status.cameras)
        now_us = self._parts.clock.now_us()
        await store.tell(session_id, status.SerializeToString(), now_us if active else None)

    async def _look(self) -> None:
        """Compare the pictures in a thread: numpy lets the event loop run meanwhile."""
        views = self._worker.holder.views
        newest_us = views.newest_us
        if newest_us == self._looked_us:
            return
        self._looked_us = newest_us
        before = self.alarms.corrections_us
        # One session after the other: threads that all want the interpreter would hold up the poses.
        async with self._parts.looking:
            lags = await asyncio.to_thread(views.lags())
        if self.alarms.corrections_us != before:
            self._calm_looks = 0
            return
        calm = not any(lag.alarm for lag in lags.values())
        self._calm_looks = self._calm_looks + 1 if calm else 0
        for name in self.alarms.look(lags):
            log.warning(
                "a camera's pictures are out of time",
                session=self._worker.session_id,
                camera=name,
                lag_ms=round(lags[name].lag_us / 1000, 1),
                applied=name in self.alarms.corrections_us,
            )
        self._worker.correct(self.alarms.corrections_us)
