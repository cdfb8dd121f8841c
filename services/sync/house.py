"""The slow side of a session: its configuration in, its status out, and now and then a look at the pictures."""

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import structlog

from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.errors import NotFound
from services.mesh.redis import UNREACHABLE, RedisError
from services.mesh.sessions import SessionConfig
from services.sync.content import Lag
from services.sync.parts import Parts
from services.sync.status import Clocks, describe, export

if TYPE_CHECKING:
    from services.sync.worker import SessionWorker

log = structlog.get_logger()

PERIOD_S = 1.0
LOOK_EVERY = 3
"""The pictures are compared every so many periods."""
CORRECTIONS = "lag_us"
"""Name in SessionConfig.extra: JSON of camera to microseconds that its frames are to count as earlier."""


def lag_corrections(config: SessionConfig) -> dict[str, int]:
    """What the session asks to take off its cameras' times, microseconds; empty where it asks for nothing sensible."""
    try:
        asked = json.loads(config.extra.get(CORRECTIONS, "{}"))
        return {str(name): int(lag_us) for name, lag_us in asked.items()}
    except (ValueError, TypeError, AttributeError):
        log.warning("unusable lag corrections", session=config.session_id)
        return {}


class House:
    """Keeps one worker's house. `run` works until cancelled."""

    def __init__(self, worker: "SessionWorker", parts: Parts) -> None:
        self._worker = worker
        self._parts = parts
        self._clocks: Clocks = {}
        self._lags: dict[str, Lag] = {}
        self._redis_bytes = 0

    def heard_of_clock(self, pose: pose_pb2.PoseFrame) -> None:
        """Remember what the pose says of its camera's clock."""
        clock = pose.clock if pose.HasField("clock") else self._clocks.get(pose.id.camera_id, (None,))[0]
        self._clocks[pose.id.camera_id] = (clock, pose.time.source)

    def status(self) -> pb.GetSessionStatusResponse:
        """The session as this replica sees it; only the holder sees all."""
        worker = self._worker
        return describe(
            worker.session_id,
            worker.matcher,
            worker.figures,
            self._clocks,
            self._lags,
            sets=worker.sets,
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
        problem = self._worker.views.problem
        self._worker.configure(config)
        found = self._worker.views.problem
        if found is not None and found is not problem:
            log.warning("calibration not used", session=config.session_id, why=found.message)

    async def run(self) -> None:
        """Work until cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(PERIOD_S)
            turn += 1
            with contextlib.suppress(*UNREACHABLE, RedisError):
                await self.read_config()
                if self._worker.holds:
                    await self._tell()
            if self._worker.holds and turn % LOOK_EVERY == 0:
                await self._look()

    async def _tell(self) -> None:
        session_id, store = self._worker.session_id, self._parts.store
        self._redis_bytes = await store.size(session_id)
        status = self.status()
        export(status, self._worker.matcher.waiting)
        active = any(not camera.idle for camera in status.cameras)
        now_us = self._parts.clock.now_us()
        await store.tell(session_id, status.SerializeToString(), now_us if active else None)

    async def _look(self) -> None:
        """Compare the pictures in a thread: numpy lets the event loop run meanwhile."""
        before = {name for name, lag in self._lags.items() if lag.alarm}
        self._lags = await asyncio.to_thread(self._worker.views.lags())
        for name, lag in self._lags.items():
            if lag.alarm and name not in before:
                log.warning(
                    "a camera's pictures are out of time",
                    session=self._worker.session_id,
                    camera=name,
                    lag_ms=round(lag.lag_us / 1000, 1),
                )
