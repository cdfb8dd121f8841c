"""The thread that reads a camera hands on what has been captured, and nothing else."""

import random

from services.capture.addresses import Recording
from services.capture.backoff import Backoff
from services.capture.frames import Frame
from services.capture.playback import Playback
from services.capture.reader import Reader
from services.capture.server_time import OwnClock
from services.capture.sources.opening import open_source
from services.capture.states import CameraState, Target
from services.mesh.stages import monotonic_ns
from tests.capture.conftest import MakeVideo
from tests.support.waiting import wait_for

TARGET = Target(15, 640, 480)


class Listening:
    """What a reader tells, with the instant at which each frame was handed on."""

    target = TARGET
    clock_epoch = 0
    takes_jpegs = True

    def __init__(self) -> None:
        self.frames: list[tuple[Frame, int]] = []
        self.ahead = 0

    @property
    def encode_at(self) -> int:
        self.ahead += 1
        return 80

    def opened(self, own_clock: OwnClock | None) -> None: ...
    def grabbed(self) -> None: ...
    def broken(self) -> None: ...
    def overdue(self) -> None: ...
    def state(self, state: CameraState, problem: str) -> None: ...

    def frame(self, frame: Frame) -> None:
        self.frames.append((frame, monotonic_ns()))


def test_a_reader_that_is_stopped_hands_on_no_frame_whose_time_has_not_come(make_video: MakeVideo) -> None:
    """The one that it had ready ahead of its time was sent before it was captured."""
    sink, video = Listening(), str(make_video(frames=3, fps=0.2))
    playback = Playback(["a"], monotonic_ns)
    reader = Reader(
        "a",
        lambda: open_source(Recording(video), "a", playback, TARGET, loop=False),
        sink,
        1,
        Backoff(0.1, 2.0, random.Random(1)),
    )
    reader.start()
    wait_for(lambda: sink.ahead == 2, what="the second frame, ahead of its time")
    reader.stop()
    reader.join(30)
    assert not reader.is_alive()
    assert [frame.sequence for frame, _ in sink.frames] == [0]
    assert all(frame.captured_ns <= handed_ns for frame, handed_ns in sink.frames)
