"""The thread that reads one camera: opens it, paces it, sizes its pictures, opens it again when it is lost."""

import contextlib
import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from services.capture.backoff import Backoff
from services.capture.encoding import encode
from services.capture.errors import SourceLost
from services.capture.frames import Frame, Jpeg, Numbering
from services.capture.pace import Pacer
from services.capture.playback import LATE_NS, PlaybackClosed
from services.capture.server_time import OwnClock
from services.capture.sizing import Image, fit, shrink
from services.capture.sources.source import BrokenFrame, Source
from services.capture.states import CameraState, Target
from services.mesh.stages import monotonic_ns
from services.mesh.stamps import StampSmoother

log = structlog.get_logger()

MOST_BROKEN = 30


class Sink(Protocol):
    """What the reader tells, from its own thread."""

    @property
    def target(self) -> Target:
        """Rate and size asked for at present, with what the server says is useful."""
        ...

    @property
    def clock_epoch(self) -> int:
        """Steps of the clock mapping so far."""
        ...

    @property
    def encode_at(self) -> int | None:
        """JPEG quality, if the next frame is going to be sent; None when it may come to be dropped."""
        ...

    @property
    def takes_jpegs(self) -> bool:
        """Whether a camera's own JPEG may go out as it is."""
        ...

    def opened(self, own_clock: OwnClock | None) -> None:
        """A source was opened that stamps by `own_clock`; None: by CLOCK_MONOTONIC."""
        ...

    def grabbed(self) -> None:
        """The source gave a frame, taken or not."""
        ...

    def frame(self, frame: Frame) -> None:
        """A frame was taken."""
        ...

    def broken(self) -> None:
        """A frame could not be unpacked."""
        ...

    def overdue(self) -> None:
        """A recording's frame was left out, since this machine does not keep up."""
        ...

    def state(self, state: CameraState, problem: str) -> None:
        """What the reader does now; `problem` says why it is lost."""
        ...


class _Stop:
    """As threading.Event, which makes a lock at every wait: here a reader waits on the one there is."""

    def __init__(self) -> None:
        self._asked = False
        self._held = threading.Lock()
        self._held.acquire()

    def is_set(self) -> bool:
        return self._asked

    def set(self) -> None:
        """Wake whoever waits. From any thread, once or more often."""
        self._asked = True
        with contextlib.suppress(RuntimeError):
            self._held.release()

    def wait(self, timeout_s: float) -> None:
        """Return after so long, or when it is set. One thread at a time."""
        if self._held.acquire(timeout=timeout_s):
            self.set()


class Reader(threading.Thread):
    """Reads until `stop`, or until the recording ends."""

    def __init__(
        self,
        camera_id: str,
        open_source: Callable[[], Source],
        sink: Sink,
        first_epoch: int,
        backoff: Backoff,
    ) -> None:
        # A daemon: a driver that hangs must not keep the process from leaving.
        super().__init__(name=f"reader {camera_id}", daemon=True)
        self._camera_id = camera_id
        self._open_source = open_source
        self._sink = sink
        self._numbering = Numbering(first_epoch)
        self._backoff = backoff
        self._stopped = _Stop()
        self.jitter_us = 0
        """Standard deviation of the capture stamps about their line; 0 for recordings."""

    def stop(self) -> None:
        """Ask it to end; `join` waits for it."""
        self._stopped.set()

    def run(self) -> None:
        """The thread's work."""
        while not self._stopped.is_set():
            problem = self._attempt()
            if problem is None:
                return
            self._numbering.restart()
            self._sink.state(CameraState.LOST, problem)
            self._stopped.wait(self._backoff.next())

    def _attempt(self) -> str | None:
        """Open and read. Returns why the camera is lost; None: the recording is over, or the reader was stopped."""
        try:
            with contextlib.closing(self._open_source()) as source:
                self._sink.opened(source.own_clock)
                self._sink.state(CameraState.READING, "")
                ended = self._read(source)
        except PlaybackClosed:
            return None
        except SourceLost as lost:
            return lost.message
        except Exception as error:
            log.exception("a source failed unexpectedly", camera=self._camera_id)
            return f"{type(error).__name__}: the log says more"
        if ended:
            self._sink.state(CameraState.ENDED, "")
        return None

    def _read(self, source: Source) -> bool:
        """Read until the recording ends (True) or the reader is stopped (False)."""
        pacer, smoother = Pacer(), StampSmoother()
        broken = 0
        while not self._stopped.is_set():
            grabbed = source.grab()
            if grabbed is None:
                return True
            self._sink.grabbed()
            stamp_ns = grabbed.captured_ns if grabbed.stamp_ns is None else grabbed.stamp_ns
            if not source.paced:
                stamp_ns = smoother.add(grabbed.number, stamp_ns)
                self.jitter_us = smoother.jitter_us
            target = self._sink.target
            if not pacer.take(grabbed.pace_ns, target.fps):
                continue
            epoch, sequence = self._numbering.next(self._sink.clock_epoch)
            if source.paced and monotonic_ns() - grabbed.captured_ns > LATE_NS:
                self._sink.overdue()
                continue
            try:
                image, jpeg = self._picture(source, target)
            except BrokenFrame as error:
                self._sink.broken()
                broken += 1
                if broken >= MOST_BROKEN:
                    raise SourceLost(f"one frame after another is broken, at last: {error}") from error
                continue
            broken = 0
            self._backoff.reset()
            frame = Frame(epoch, sequence, image, grabbed.captured_ns, stamp_ns, grabbed.media_us, jpeg)
            self._hand_on(frame, paced=source.paced)
        return False

    def _picture(self, source: Source, target: Target) -> tuple[Image | None, Jpeg | None]:
        """The frame grabbed last: as the camera's own JPEG where that will do, else unpacked and as large as asked."""
        own = source.jpeg() if self._sink.takes_jpegs else None
        if own is not None:
            size = own.width, own.height
            if fit(*size, target.width, target.height) == size:
                return None, Jpeg(own.data, size, monotonic_ns())
        image = source.retrieve()
        height, width = image.shape[:2]
        return shrink(image, *fit(width, height, target.width, target.height)), None

    def _hand_on(self, frame: Frame, *, paced: bool) -> None:
        quality = self._sink.encode_at if frame.jpeg is None else None
        if quality is not None:
            frame = encode(frame, quality)
        if paced:
            self._stopped.wait(max(0, frame.captured_ns - monotonic_ns()) / 1e9)
            if self._stopped.is_set() and frame.captured_ns > monotonic_ns():
                return  # its time has not come, and will not
        self._sink.frame(frame)
