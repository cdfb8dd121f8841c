"""One timeline for all recordings a process plays: frame n of each of them has the same capture time.

Threads of several cameras meet here. A pass starts when every recording is open; when the last of them has come to its
end, the next pass starts for all. A recording that cannot be read is left out and joins where the others are.
"""

import threading
from collections.abc import Callable, Iterable

LEAD_NS = 50_000_000
"""From everybody being ready to the first frame."""
LATE_NS = 250_000_000
"""A reader that is behind by more than this holds the whole timeline up."""


class PlaybackClosed(Exception):
    """The process is stopping."""


class Playback:
    """The shared timeline. `tracks` are the cameras that will play recordings; times are those of `clock_ns`."""

    def __init__(self, tracks: Iterable[str], clock_ns: Callable[[], int], *, gated: bool = False) -> None:
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._awaited = set(tracks)
        self._playing: set[str] = set()
        self._ended: dict[str, int] = {}
        self._gate_open = not gated
        self._start_ns: int | None = None
        self._pass = 0
        self._closed = False

    def begin(self, track: str) -> int:
        """Return the position to start at, nanoseconds, once everybody is ready: 0, or where the others are.

        Raises PlaybackClosed.
        """
        with self._changed:
            self._awaited.discard(track)
            self._playing.add(track)
            self._start_if_ready()
            while self._start_ns is None:
                self._wait()
            return max(0, self._clock_ns() - self._start_ns)

    def due_ns(self, media_ns: int) -> int:
        """The instant of a position, on the clock; it grows over the passes."""
        assert self._start_ns is not None
        return self._start_ns + media_ns

    def hold_up(self, media_ns: int) -> None:
        """Shift the timeline if the frame at this position is due for too long: the machine cannot keep up."""
        with self._changed:
            assert self._start_ns is not None
            late_ns = self._clock_ns() - self._start_ns - media_ns
            if late_ns > LATE_NS:
                self._start_ns += late_ns

    def finish_pass(self, track: str, length_ns: int) -> None:
        """This recording is at its end; return when all are, and the next pass has begun. Raises PlaybackClosed."""
        with self._changed:
            self._ended[track] = length_ns
            number = self._pass
            self._next_pass_if_ended()
            while self._pass == number:
                self._wait()

    def withdraw(self, track: str) -> None:
        """This recording ended or cannot be read: nobody waits for it."""
        with self._changed:
            self._awaited.discard(track)
            self._playing.discard(track)
            self._ended.pop(track, None)
            self._start_if_ready()
            self._next_pass_if_ended()

    def open_gate(self) -> None:
        """Let a gated playback begin."""
        with self._changed:
            self._gate_open = True
            self._start_if_ready()

    def close(self) -> None:
        """Wake everybody up, to stop."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self) -> None:
        if self._closed:
            raise PlaybackClosed
        self._changed.wait()
        if self._closed:
            raise PlaybackClosed

    def _start_if_ready(self) -> None:
        if self._start_ns is None and self._gate_open and self._playing and not self._awaited:
            self._start_ns = self._clock_ns() + LEAD_NS
            self._changed.notify_all()

    def _next_pass_if_ended(self) -> None:
        if self._start_ns is None or not self._playing or self._playing != set(self._ended):
            return
        start_ns = self._start_ns + max(self._ended.values())
        # Seamless, unless whoever was last came so late that its first frames would be overdue.
        self._start_ns = start_ns if self._clock_ns() - start_ns < LATE_NS else self._clock_ns() + LEAD_NS
        self._ended.clear()
        self._pass += 1
        self._changed.notify_all()
