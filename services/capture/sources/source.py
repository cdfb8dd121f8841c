"""What every source is: something that gives frames, blocking, to the one thread that reads it."""

from dataclasses import dataclass
from typing import Protocol

from services.capture.jpeg import CameraJpeg
from services.capture.server_time import OwnClock
from services.capture.sizing import Image


class BrokenFrame(Exception):
    """One frame cannot be unpacked; those after it may."""


@dataclass(frozen=True, slots=True)
class Grabbed:
    """A frame that is there, not yet unpacked."""

    number: int
    """Counts every frame of the source since it was opened, taken or not."""
    captured_ns: int
    """CLOCK_MONOTONIC when it was read; for a paced source when it is due, mostly in the future."""
    pace_ns: int
    """What frames are thinned out by: the same, or for a recording its place on the timeline, which no delay moves."""
    stamp_ns: int | None = None
    """What the camera's own clock read. None: it has none."""
    media_us: int | None = None
    """Position in the recording, microseconds. None: a live camera."""


class Source(Protocol):
    """An opened camera. Its methods raise SourceLost when it cannot be read any more."""

    @property
    def paced(self) -> bool:
        """Whether frames are given ahead of their time and the reader waits until they are due."""
        ...

    @property
    def own_clock(self) -> OwnClock | None:
        """The clock its frames are stamped by. None: CLOCK_MONOTONIC of this machine."""
        ...

    def grab(self) -> Grabbed | None:
        """Wait for the next frame. None: the recording is at its end and is not to start again."""
        ...

    def jpeg(self) -> CameraJpeg | None:
        """The frame grabbed last as the camera compressed it; None: it must be unpacked."""
        ...

    def retrieve(self) -> Image:
        """Unpack the frame grabbed last. Raises BrokenFrame."""
        ...

    def close(self) -> None:
        """Let go of the camera. Called by the reading thread, once."""
        ...
