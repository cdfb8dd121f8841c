"""What recordings share: their own pace on the common timeline, and starting again at the end."""

import abc

from services.capture.errors import SourceLost
from services.capture.jpeg import CameraJpeg
from services.capture.playback import Playback
from services.capture.sizing import Image
from services.capture.sources.source import Grabbed


class RecordingSource(abc.ABC):
    """Plays on the shared timeline. A subclass knows how to step, unpack and go to a position."""

    paced = True
    own_clock = None

    def __init__(self, track: str, playback: Playback, *, loop: bool) -> None:
        self._track = track
        self._playback = playback
        self._loop = loop
        self._number = 0
        self._media_ns = 0
        self._begun = False

    @abc.abstractmethod
    def step(self) -> int | None:
        """Go to the next frame; its position, nanoseconds. None: there is no next one."""

    def jpeg(self) -> CameraJpeg | None:
        return None

    @abc.abstractmethod
    def retrieve(self) -> Image: ...

    @abc.abstractmethod
    def seek(self, media_ns: int) -> None:
        """Let `step` go to the first frame at or after this position next."""

    @property
    @abc.abstractmethod
    def length_ns(self) -> int:
        """Duration, nanoseconds, as far as it has been seen."""

    @abc.abstractmethod
    def release(self) -> None:
        """Close the file."""

    def grab(self) -> Grabbed | None:
        """The next frame, ahead of its time. Raises SourceLost, PlaybackClosed."""
        if not self._begun:
            self._begun = True
            position_ns = self._playback.begin(self._track)
            if position_ns:
                self.seek(position_ns)
        media_ns = self.step()
        if media_ns is None:
            if not self._loop:
                return None
            length_ns = self.length_ns
            self.seek(0)
            self._playback.finish_pass(self._track, length_ns)
            media_ns = self.step()
            if media_ns is None:
                raise SourceLost(f"{self._track}: the recording holds no frame any more")
        place = self._playback.place(media_ns)
        grabbed = Grabbed(self._number, place.due_ns, place.position_ns, media_us=media_ns // 1000)
        self._number += 1
        return grabbed

    def close(self) -> None:
        self._playback.withdraw(self._track)
        self.release()
