"""Keeps one camera connected: opens a stream, and another one whenever that ends, until the recording is over."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from services.capture import metrics
from services.capture.backoff import Backoff
from services.capture.camera import Camera
from services.capture.states import LinkState
from services.mesh.errors import KomiError, Unavailable

log = structlog.get_logger()

LASTED_S = 2.0
"""A stream that lived this long was a working one."""
REFUSED_PAUSE_S = 5.0


class StreamOver(Exception):
    """The server ended the stream in good order; `again_at_once` says whether it waits for us elsewhere."""

    def __init__(self, reason: str, message: str, *, again_at_once: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again_at_once = again_at_once


class Stream(Protocol):
    """One connection to a server."""

    async def run(self) -> None:
        """Send the camera's frames. Returns when the camera has ended and everything is answered.

        Raises StreamOver when the server ended it, LinkLost when it cannot be reached or went away, and any other
        KomiError when it refuses the camera.
        """
        ...


class Link:
    """The loop around streams."""

    def __init__(self, camera: Camera, open_stream: Callable[[], Stream], backoff: Backoff) -> None:
        self._camera = camera
        self._open_stream = open_stream
        self._backoff = backoff

    async def run(self) -> None:
        """Stay connected. Returns when the camera has ended and everything is answered."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await self._open_stream().run()
            except StreamOver as over:
                lasted = loop.time() - began_s > LASTED_S
                pause_s = self._after(over, lasted=lasted)
            except KomiError as error:
                if loop.time() - began_s > LASTED_S and self._camera.link_state is LinkState.STREAMING:
                    self._backoff.reset()
                pause_s = self._after_error(error)
            else:
                self._camera.set_link(LinkState.FINISHED)
                return
            await asyncio.sleep(pause_s)

    def _after(self, over: StreamOver, *, lasted: bool) -> float:
        metrics.LINKS_LOST.labels(self._camera.camera_id, over.reason).inc()
        log.info("stream ended", camera=self._camera.camera_id, reason=over.reason, message=over.message)
        self._camera.set_link(LinkState.CONNECTING)
        if lasted:
            self._backoff.reset()
        # A server that ends every stream as soon as it began must not be asked a thousand times a second.
        return 0.0 if over.again_at_once and lasted else self._backoff.next()

    def _after_error(self, error: KomiError) -> float:
        metrics.LINKS_LOST.labels(self._camera.camera_id, error.reason.lower()).inc()
        if isinstance(error, Unavailable):
            self._camera.set_link(LinkState.CONNECTING, error.message)
            return self._backoff.next()
        self._camera.set_link(LinkState.REFUSED, error.message)
        self._backoff.reset()
        return max(error.retry_after_s or 0.0, REFUSED_PAUSE_S)
