"""One timeline for all recordings a process plays: frame n of each of them has the same capture time.

Threads of several cameras meet here. A pass starts when every recording is open; when the last of them has come to its
end, the next pass starts for all. A recording that cannot be read is left out and joins where the others are.

A *position* counts from the start of the timeline over all passes; the instant at which it is due is a function of the
position alone, so whoever asks first or last gets the same answer, on a machine that does not keep up too.
"""

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

LEAD_NS = 50_000_000
"""From everybody being ready to the first frame."""
LATE_NS = 250_000_000
"""A reader that is behind by more than this holds the timeline up."""

MOST_HELD = 16


class PlaybackClosed(Exception):
    """The process is stopping."""


class Place(NamedTuple):
    """Where a frame belongs."""

    position_ns: int
    """On the timeline, over all passes."""
    due_ns: int
    """On the clock."""


class Playback:
    """The shared timeline. `tracks` are the cameras that will play recordings."""

    def __init__(self, tracks: Iterable[str], clock_ns: Callable[[], int], *, gated: bool = False) -> None:
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._awaited = set(tracks)
        self._playing: set[str] = set()
        self._ended: dict[str, int] = {}
        self._gate_open = not gated
        self._closed = False
        self._pass = 0
        # Position of the present pass's start, and the instant that position 0 had if nothing had been held up since.
        self._base_ns = 0
        self._start_ns: int | None = None
        # Where the timeline was held up, and for how long; only what lies ahead of the present pass's start.
        self._held: list[tuple[int, int]] = []
        self._reached_ns = 0

    def begin(self, track: str) -> int:
        """Return the position to start at in the recording, nanoseconds, once everybody is ready.

        It is 0, or where the others are. Raises PlaybackClosed.
        """
        with self._changed:
            self._awaited.discard(track)
            self._playing.add(track)
            self._start_if_ready()
            while self._start_ns is None:
                self._wait()
            return max(0, self._clock_ns() - self._due(self._base_ns))

    def place(self, media_ns: int) -> Place:
        """Where the frame at this position of its recording belongs, in the present pass.

        A machine that is behind by too much holds the timeline up, for frames that nobody has placed yet.
        """
        with self._changed:
            position_ns = self._base_ns + media_ns
            late_ns = self._clock_ns() - self._due(position_ns)
            if late_ns > LATE_NS and not any(held_ns > position_ns for held_ns, _ in self._held):
                self._held.append((max(position_ns, self._reached_ns + 1), late_ns))
                if len(self._held) > MOST_HELD:
                    # Long past for everybody.
                    self._start_ns = self._due(0) + self._held.pop(0)[1]
            self._reached_ns = max(self._reached_ns, position_ns)
            return Place(position_ns, self._due(position_ns))

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

    def _due(self, position_ns: int) -> int:
        assert self._start_ns is not None
        return (
            self._start_ns + position_ns + sum(for_ns for at_ns, for_ns in self._held if at_ns <= position_ns)
        )

    def _wait(self) -> None:
        if not self._closed:
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
        self._base_ns += max(self._ended.values())
        # What was held up is over for everybody now. Whoever came too late to begin in time holds up the next pass.
        self._start_ns += sum(for_ns for _, for_ns in self._held)
        self._held.clear()
        self._reached_ns = self._base_ns
        late_ns = self._clock_ns() - self._due(self._base_ns)
        if late_ns > LATE_NS:
            self._start_ns += late_ns + LEAD_NS
        self._ended.clear()
        self._pass += 1
        self._changed.notify_all()
