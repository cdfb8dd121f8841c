"""Newest images of the cameras somebody looks at: fetched once for all viewers, asked for only while there are some."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from services.gateway.errors import CameraNotFound, NoImageYet
from services.gateway.notices import Notices
from services.mesh import keys
from services.mesh.cameras import CameraRegister
from services.mesh.images import CameraImage, Images
from services.mesh.newest import NewestSlot
from services.mesh.redis import UNREACHABLE, RedisClient
from services.mesh.server_clock import ServerClock
from services.mesh.tasks import Tasks

RENEW_S = 2.0
FIRST_WAIT_S = 2.0
"""How long to wait for the first image after nobody looked; pose sees the wish within half a second."""
FRESH_US = 1_500_000


class _Watched:
    """One camera somebody looks at."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.viewers: set[NewestSlot[CameraImage]] = set()
        self.latest: CameraImage | None = None


class ImageDesk:
    """Images for REST and MJPEG."""

    def __init__(self, redis: RedisClient, notices: Notices, clock: ServerClock, tasks: Tasks) -> None:
        self._images = Images(redis)
        self._cameras = CameraRegister(redis)
        self._notices = notices
        self._clock = clock
        self._tasks = tasks
        self._watched: dict[str, _Watched] = {}
        self._draining = False

    def drain(self) -> None:
        """End every stream of images."""
        self._draining = True
        for watched in self._watched.values():
            for slot in watched.viewers:
                slot.close()

    async def newest(self, camera_id: str) -> CameraImage:
        """The newest image, at most a moment old. Raises CameraNotFound, NoImageYet."""
        image = await self._images.get(camera_id)
        if image is not None and self._clock.now_us() - image.server_us < FRESH_US:
            await self._images.look(camera_id)
            return image
        if await self._cameras.get(camera_id) is None:
            raise CameraNotFound(camera_id)
        async with self.watching(camera_id) as images:
            try:
                async with asyncio.timeout(FIRST_WAIT_S):
                    async for fresh in images:
                        if image is None or fresh.server_us != image.server_us:
                            return fresh
            except TimeoutError:
                pass
        if image is None:
            raise NoImageYet(camera_id)
        return image

    @asynccontextmanager
    async def watching(self, camera_id: str) -> AsyncIterator[AsyncIterator[CameraImage]]:
        """The camera's images as they come, the newest only, for as long as the block runs."""
        slot: NewestSlot[CameraImage] = NewestSlot()
        if self._draining:
            slot.close()
        watched = self._watched.get(camera_id)
        if watched is None:
            watched = self._watched[camera_id] = _Watched()
            self._tasks.start("images", lambda: self._follow(camera_id, watched))
        elif watched.latest is not None:
            slot.put(watched.latest)
        watched.viewers.add(slot)

        async def images() -> AsyncGenerator[CameraImage]:
            while (image := await slot.get()) is not None:
                yield image

        stream = images()
        try:
            yield stream
        finally:
            await stream.aclose()
            watched.viewers.discard(slot)
            if not watched.viewers and self._watched.get(camera_id) is watched:
                del self._watched[camera_id]
                watched.news.set()

    async def _follow(self, camera_id: str, watched: _Watched) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                self._notices.listening(keys.camera_image_new(camera_id), watched.news.set)
            )
            while watched.viewers:
                try:
                    await self._images.look(camera_id)
                    await self._fetch(camera_id, watched, until=asyncio.get_running_loop().time() + RENEW_S)
                except UNREACHABLE:
                    await asyncio.sleep(0.2)

    async def _fetch(self, camera_id: str, watched: _Watched, until: float) -> None:
        loop = asyncio.get_running_loop()
        while watched.viewers and (left := until - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    await watched.news.wait()
            except TimeoutError:
                return
            watched.news.clear()
            image = await self._images.get(camera_id) if watched.viewers else None
            if image is None or (watched.latest and watched.latest.server_us == image.server_us):
                continue
            watched.latest = image
            for slot in watched.viewers:
                slot.put(image)
