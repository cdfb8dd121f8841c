"""Notices that this process was held up, so that cameras are not blamed for it.

When the event loop stood still (a busy machine, a paused container, a long turn of its own), frames that came in time lie
unread. Time counts on only once they had a moment to be read.

An idle loop looks the same from within, and telling the two apart by a steady beat cost more than all other timers of the
mesh. So every silence counts as a stall. Whoever looks has the loop beat in its next turn, that is when it has read what
was there; and whoever is about to give a camera up beats for a moment before, which a sound loop gets through in time.
Pure: clock and loop are passed in.
"""

from collections.abc import Callable

BEAT_S = 0.01
STALL_S = 0.03
"""A beat this much later than the last one means that the loop may have stood still."""
CATCH_UP_S = 0.02
"""How long reading what piled up may take."""
WATCH_S = STALL_S
"""Beats begin this long before a camera may be given up: longer than what piled up takes to read."""


class Pulse:
    """Told whenever the loop shows that it is alive."""

    def __init__(self, now_s: Callable[[], float], soon: Callable[[Callable[[], None]], object]) -> None:
        """`now_s`: any steady clock. `soon` runs a callback in the loop's next turn (loop.call_soon)."""
        self.now_s = now_s
        self._soon = soon
        self._asked = False
        self._beat_s = 0.0
        self._stood_at_s = 0.0
        self._until_s = 0.0

    def beat(self) -> None:
        """The loop begins another turn."""
        now_s = self.now_s()
        self._asked = False
        if self._beat_s and now_s - self._beat_s > STALL_S:
            self._stood_at_s, self._until_s = self._beat_s, now_s + CATCH_UP_S
        self._beat_s = now_s

    def held_up_s(self) -> float:
        """How much of the time until now does not count yet."""
        now_s = self.now_s()
        if not self._asked:
            self._asked = True
            self._soon(self.beat)
        if self._beat_s and now_s - self._beat_s > STALL_S:
            return now_s - self._beat_s
        return now_s - self._stood_at_s if now_s < self._until_s else 0.0

    def catching_up_s(self) -> float:
        """How long it is from now until all time counts; 0: it does."""
        return max(0.0, self._until_s - self.now_s())

    def next_beat_s(self, due_s: float) -> float:
        """When to beat next, for who gives up at `due_s`."""
        return min(due_s, max(self.now_s() + BEAT_S, due_s - WATCH_S))
