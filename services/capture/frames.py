"""A frame on its way from a source to the link."""

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.capture.sizing import Image

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A compressed picture."""

    data: bytes
    size: tuple[int, int]
    """Width and height, pixels."""
    encoded_ns: int
    """CLOCK_MONOTONIC when it was ready."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that was taken from a source."""

    epoch: int
    sequence: int
    image: Image | None
    """As it is to be sent. None: there is only the JPEG, which the camera itself made."""
    captured_ns: int
    """CLOCK_MONOTONIC when it was read, or due by the recording's own pace."""
    stamp_ns: int
    """Best estimate of the instant of capture, without the jitter of driver and scheduler, on the camera's own clock if
    it has one, else CLOCK_MONOTONIC."""
    media_us: int | None = None
    """Position in the recording. None: a live camera."""
    jpeg: Jpeg | None = None
    """None: not compressed yet. A frame has this or an image, or both."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        if self.image is None:
            assert self.jpeg is not None
            return self.jpeg.size
        return self.image.shape[1], self.image.shape[0]

    def with_jpeg(self, jpeg: Jpeg) -> "Frame":
        """The same frame, compressed."""
        return dataclasses.replace(self, jpeg=jpeg)

    def with_image(self, image: Image) -> "Frame":
        """The same frame with another picture, not compressed."""
        return dataclasses.replace(self, image=image, jpeg=None)


EPOCHS_BEGIN_S = 1_735_689_600
"""2025-01-01, Unix time."""
EPOCHS_A_SECOND = 4


def first_epoch_at(unix_s: float) -> int:
    """The epoch of a process that starts now: later than any of an earlier one, though nothing is kept on disk."""
    return int((unix_s - EPOCHS_BEGIN_S) * EPOCHS_A_SECOND) & 0xFFFFFFFF


class Numbering:
    """Numbers a camera's frames: sequence from 0 within an epoch.

    Epochs only grow, also over restarts of the process (see first_epoch_at). A restart of the source and a step of the
    clock each open the next one.
    """

    def __init__(self, first_epoch: int) -> None:
        self._first_epoch = first_epoch
        self._restarts = 0
        self._epoch = -1
        self._sequence = 0

    def restart(self) -> None:
        """The source was opened anew."""
        self._restarts += 1

    def next(self, clock_epoch: int) -> tuple[int, int]:
        """Epoch and sequence of the next frame. `clock_epoch`: steps of the clock mapping so far."""
        epoch = (self._first_epoch + self._restarts + clock_epoch) & 0xFFFFFFFF
        if epoch != self._epoch:
            self._epoch, self._sequence = epoch, 0
        sequence = self._sequence
        self._sequence += 1
        return epoch, sequence


class Handover(Generic[T]):
    """Hands the newest item from a thread to an event loop: one slot, so that a busy loop never finds a queue."""

    def __init__(self, wake: Callable[[Callable[[], None]], object], receive: Callable[[T], None]) -> None:
        """`wake` runs a callback in the loop (loop.call_soon_threadsafe), `receive` takes the item there."""
        self._wake = wake
        self._receive = receive
        self._lock = threading.Lock()
        self._item: T | None = None

    def put(self, item: T) -> T | None:
        """Lay the item down; returns the one it displaced, if the loop had not come for it yet."""
        with self._lock:
            displaced, self._item = self._item, item
        if displaced is None:
            self._wake(self._take)
        return displaced

    def _take(self) -> None:
        with self._lock:
            item, self._item = self._item, None
        if item is not None:
            self._receive(item)
