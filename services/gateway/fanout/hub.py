"""Who watches what: feeds come with their first viewer and go with their last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.gateway import metrics
from services.gateway.fanout.feed import MonitorFeed, SessionFeed
from services.gateway.fanout.reader import StreamReader
from services.gateway.fanout.viewer import Viewer
from services.gateway.notices import Notices
from services.gateway.status import StatusDesk
from services.mesh import keys
from services.mesh.cameras import CameraRegister
from services.mesh.errors import NotFound
from services.mesh.redis import UNREACHABLE
from services.mesh.tasks import Tasks

STATUS_PERIOD_S = 1.0
PLACED_S = 5.0
"""A Redis that has not said where a session's streams stand for so long is taken for away."""


class Hub:
    """Joins viewers to the feeds of sessions, or of everything."""

    def __init__(
        self,
        reader: StreamReader,
        notices: Notices,
        status: StatusDesk,
        cameras: CameraRegister,
        tasks: Tasks,
    ) -> None:
        self._reader = reader
        self._notices = notices
        self._status = status
        self._cameras = cameras
        self._tasks = tasks
        self._feeds: dict[str, SessionFeed] = {}
        self._monitor = MonitorFeed()
        self._following: asyncio.Task[None] | None = None
        """Follows the cameras for the monitors; the next may come before it has seen that the last is gone."""

    def viewers(self, session_id: str) -> int:
        """Viewers of a session at this gateway."""
        feed = self._feeds.get(session_id)
        return len(feed) if feed is not None else 0

    @asynccontextmanager
    async def viewing(self, session_id: str, viewer: Viewer) -> AsyncIterator[None]:
        """Push to `viewer` what the session brings, for as long as the block runs; nothing from its begin on is missed.

        Raises TimeoutError, one of UNREACHABLE, where Redis went away just now.
        """
        feed = self._feeds.get(session_id)
        if feed is None:
            feed = self._feeds[session_id] = SessionFeed(session_id)
            self._reader.watch(session_id, feed)
            self._tasks.start("status", lambda: self._tell_status(feed))
        feed.add(viewer)
        metrics.VIEWERS.labels("session").inc()
        try:
            async with asyncio.timeout(PLACED_S):
                await self._reader.placed(session_id)
            yield
        finally:
            metrics.VIEWERS.labels("session").dec()
            feed.discard(viewer)
            if not feed and self._feeds.get(session_id) is feed:
                del self._feeds[session_id]
                self._reader.unwatch(session_id, feed)

    async def _tell_status(self, feed: SessionFeed) -> None:
        """Once a second, and at once when the session's settings change, while anybody watches."""
        changed = asyncio.Event()
        async with self._notices.listening(keys.session_changed(feed.session_id), changed.set):
            while self._feeds.get(feed.session_id) is feed:
                if feed.wanting("status"):
                    with suppress(*UNREACHABLE, NotFound):
                        status = await self._status.of(feed.session_id, len(feed))
                        feed.on_status(status.model_dump(mode="json"))
                with suppress(TimeoutError):
                    async with asyncio.timeout(STATUS_PERIOD_S):
                        await changed.wait()
                changed.clear()

    @asynccontextmanager
    async def monitoring(self, viewer: Viewer, camera_ids: list[str]) -> AsyncIterator[None]:
        """Push to `viewer` what every camera brings, for as long as the block runs; of these it hears first."""
        self._monitor.greet(viewer, camera_ids)
        if self._following is None or self._following.done():
            self._following = self._tasks.start("monitor", self._follow_cameras)
        metrics.VIEWERS.labels("monitor").inc()
        try:
            yield
        finally:
            metrics.VIEWERS.labels("monitor").dec()
            self._monitor.discard(viewer)

    async def _follow_cameras(self) -> None:
        """Watch the sessions that have cameras, while there is a monitor."""
        watched: set[str] = set()
        try:
            while self._monitor:
                with suppress(*UNREACHABLE):
                    cameras = await self._cameras.list()
                    self._monitor.on_cameras([camera.camera_id for camera in cameras])
                    sessions = {camera.session_id for camera in cameras}
                    for session_id in sessions - watched:
                        self._reader.watch(session_id, self._monitor)
                    for session_id in watched - sessions:
                        self._reader.unwatch(session_id, self._monitor)
                    watched = sessions
                await asyncio.sleep(STATUS_PERIOD_S)
        finally:
            for session_id in watched:
                self._reader.unwatch(session_id, self._monitor)
