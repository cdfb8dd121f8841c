"""What a camera and its link are doing; named as in komi.capture.v1."""

from dataclasses import dataclass
from enum import Enum, auto


class CameraState(Enum):
    """What a camera's reader is doing."""

    OPENING = auto()
    READING = auto()
    LOST = auto()
    ENDED = auto()


class LinkState(Enum):
    """What a camera's link to the server is doing."""

    CONNECTING = auto()
    STREAMING = auto()
    REFUSED = auto()
    FINISHED = auto()
    """The recording is at its end and everything sent is answered."""


@dataclass(frozen=True)
class Target:
    """What is asked of a camera."""

    fps: float
    width: int
    height: int
