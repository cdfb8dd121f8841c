"""All cameras of the process: starts them together, watches over them, ends them together."""

import asyncio
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from services.capture import metrics
from services.capture.addresses import NamedAddress, Recording, show
from services.capture.backoff import Backoff
from services.capture.camera import Camera
from services.capture.encoding import encode
from services.capture.errors import NoFrameYet, PosesUnanswered, UnknownCamera
from services.capture.frames import Frame, first_epoch_at
from services.capture.link import Link, Stream
from services.capture.playback import Playback
from services.capture.quality import QualityControl
from services.capture.reader import Reader
from services.capture.server_time import ServerTime
from services.capture.sources.opening import open_source
from services.capture.sources.source import Source
from services.capture.states import CameraState, LinkState, Target
from services.mesh.errors import KomiError
from services.mesh.stages import monotonic_ns
from services.mesh.tasks import Tasks

log = structlog.get_logger()

WATCH_PERIOD_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Between tries to connect, or to open a camera."""
ANSWER_S = 10.0
"""A recording that ended waits so long for the answer to its last frame."""
JOIN_S = 1.0


@dataclass(frozen=True)
class Member:
    """One camera with what drives it."""

    named: NamedAddress
    camera: Camera
    reader: Reader
    link: Link

    @property
    def recording(self) -> Recording | None:
        """The recording it plays, None for a live camera."""
        return self.named.address if isinstance(self.named.address, Recording) else None


OpenStream = Callable[[Camera, Callable[[], int]], Stream]
"""Makes a stream for a camera; the second argument tells the jitter of its stamps, microseconds."""


class Rig:
    """Make it in the event loop; `start` begins to read."""

    def __init__(
        self,
        named: tuple[NamedAddress, ...],
        target: Target,
        *,
        loop_recordings: bool,
        quality_range: tuple[int, int],
        open_stream: OpenStream,
        server_time: ServerTime,
        encoders: ThreadPoolExecutor,
    ) -> None:
        self._server_time = server_time
        self._loop_recordings = loop_recordings
        self._encoders = encoders
        self._open_stream = open_stream
        self._quality_range = quality_range
        recordings = [one.camera_id for one in named if isinstance(one.address, Recording)]
        plays_once = any(isinstance(one.address, Recording) and not self._loops(one.address) for one in named)
        # What is played once is not to begin before somebody listens.
        self._playback = Playback(recordings, monotonic_ns, gated=plays_once)
        self._gate_open = not plays_once
        first_epoch = first_epoch_at(time.time())
        self.members = [self._member(one, target, first_epoch) for one in named]
        self._by_name = {member.camera.camera_id: member for member in self.members}
        self._links: list[tuple[Member, asyncio.Task[None]]] = []
        self._all_ended_s: float | None = None

    def _loops(self, recording: Recording) -> bool:
        return self._loop_recordings if recording.loop is None else recording.loop

    def _member(self, named: NamedAddress, target: Target, first_epoch: int) -> Member:
        camera = Camera(
            named.camera_id,
            show(named.address),
            target,
            self._server_time,
            QualityControl(*self._quality_range),
        )

        def open_it() -> Source:
            return open_source(
                named.address, named.camera_id, self._playback, camera.asked, loop=self._loop_recordings
            )

        def open_stream() -> Stream:
            return self._open_stream(camera, lambda: reader.jitter_us)

        # Jitter in pauses needs no secrecy.
        reader = Reader(
            named.camera_id,
            open_it,
            camera,
            first_epoch,
            Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, random.Random()),
        )
        link = Link(camera, open_stream, Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, random.Random()))
        return Member(named, camera, reader, link)

    def start(self, tasks: Tasks, finish: Callable[[KomiError | None], None]) -> None:
        """Begin to read and to connect. `finish` is called when every recording has been played once."""
        for member in self.members:
            task = tasks.start(f"link {member.camera.camera_id}", member.link.run)
            self._links.append((member, task))
            member.reader.start()

        async def watch() -> None:
            while True:
                self._watch(finish)
                await asyncio.sleep(WATCH_PERIOD_S)

        tasks.start("watch", watch)

    def _watch(self, finish: Callable[[KomiError | None], None]) -> None:
        now_s = asyncio.get_running_loop().time()
        for member in self.members:
            member.camera.measure(now_s)
        known = [
            uncertainty_us
            for member in self.members
            if (uncertainty_us := member.camera.server_time.uncertainty_us) is not None
        ]
        if known:
            metrics.CLOCK_UNCERTAINTY.set(max(known) / 1e6)
        if not self._gate_open and all(
            member.camera.link_state is not LinkState.CONNECTING
            for member in self.members
            if member.recording
        ):
            self._gate_open = True
            self._playback.open_gate()
        self._finish_if_ended(now_s, finish)

    def _finish_if_ended(self, now_s: float, finish: Callable[[KomiError | None], None]) -> None:
        if any(member.camera.state_now is not CameraState.ENDED for member in self.members):
            return
        self._all_ended_s = self._all_ended_s or now_s
        waiting = [m.camera for m in self.members if m.camera.link_state is not LinkState.FINISHED]
        if not waiting:
            log.info("every recording was played and answered")
            finish(None)
        elif now_s - self._all_ended_s > ANSWER_S:
            told = "; ".join(
                f"{camera.camera_id}: {camera.link_problem or 'no answer'}" for camera in waiting
            )
            finish(PosesUnanswered(f"the recordings ended, but the last poses were not answered ({told})"))

    # ------------------------------------------------------------ for the service
    def camera(self, camera_id: str) -> Camera:
        """The camera of that name. Raises UnknownCamera."""
        member = self._by_name.get(camera_id)
        if member is None:
            known = ", ".join(self._by_name)
            raise UnknownCamera(f"no camera {camera_id!r} here: this process reads {known}")
        return member.camera

    def jitter_us(self, camera_id: str) -> int:
        """Standard deviation of the camera's capture stamps about their line, microseconds."""
        return self._by_name[camera_id].reader.jitter_us

    async def latest(self, camera_id: str) -> Frame:
        """The newest frame read, compressed. Raises UnknownCamera, NoFrameYet."""
        camera = self.camera(camera_id)
        frame = camera.latest
        if frame is None:
            raise NoFrameYet(
                f"camera {camera_id!r} has given no frame yet"
                + (f": {camera.source_problem}" if camera.source_problem else ""),
                retry_after_s=1.0,
            )
        if frame.jpeg is None:
            loop = asyncio.get_running_loop()
            frame = await loop.run_in_executor(self._encoders, encode, frame, camera.quality.quality)
        return frame

    # ------------------------------------------------------------ readiness
    async def cameras_check(self) -> str | None:
        """For Readiness.add: at least one camera gives frames, or has ended."""
        if any(
            member.camera.state_now in {CameraState.READING, CameraState.ENDED} for member in self.members
        ):
            return None
        problems = "; ".join(
            f"{m.camera.camera_id}: {m.camera.source_problem or 'opening'}" for m in self.members
        )
        return f"no camera gives frames ({problems})"

    async def links_check(self) -> str | None:
        """For Readiness.add: at least one camera's frames go to the server."""
        if any(
            member.camera.link_state in {LinkState.STREAMING, LinkState.FINISHED} for member in self.members
        ):
            return None
        problems = "; ".join(
            f"{m.camera.camera_id}: {m.camera.link_problem or 'connecting'}" for m in self.members
        )
        return f"no frames go out ({problems})"

    # ------------------------------------------------------------ the end
    async def drain(self, longest_s: float) -> None:
        """Read no more, send what is there, and let the server answer it."""
        self._stop_reading()
        connected = [task for member, task in self._links if member.camera.link_state is LinkState.STREAMING]
        for member in self.members:
            member.camera.slot.close()
        if connected:
            await asyncio.wait(connected, timeout=longest_s)

    async def close(self) -> None:
        """Wait for the readers; one that hangs in its driver is left behind."""
        self._stop_reading()
        end_s = time.monotonic() + JOIN_S
        for member in self.members:
            if member.reader.is_alive():
                await asyncio.to_thread(member.reader.join, max(0.0, end_s - time.monotonic()))
        self._encoders.shutdown(wait=False, cancel_futures=True)

    def _stop_reading(self) -> None:
        for member in self.members:
            member.reader.stop()
        self._playback.close()
