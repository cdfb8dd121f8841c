"""Notices that this process was held up, so that cameras are not blamed for it.

When the event loop stood still (a busy machine, a paused container), frames that came in time lie unread. Time counts on
only once they had a moment to be read.

An idle loop looks the same from within, and telling the two apart by a steady beat cost more than all other timers of the
mesh. So every silence counts as a stall, and whoever is about to give a camera up beats for a moment before, which a sound
loop gets through in time. Pure: the clock is passed in, seconds of any steady one.
"""

BEAT_S = 0.01
STALL_S = 0.03
"""A beat this much later than the last one means that the loop may have stood still."""
CATCH_UP_S = 0.02
"""How long reading what piled up may take."""
WATCH_S = STALL_S
"""Beats begin this long before a camera may be given up: longer than what piled up takes to read."""


class Pulse:
    """Told whenever the loop shows that it is alive."""

    def __init__(self) -> None:
        self._beat_s = 0.0
        self._stood_at_s = 0.0
        self._until_s = 0.0

    def beat(self, now_s: float) -> None:
        """The loop is alive at `now_s`."""
        if self._beat_s and now_s - self._beat_s > STALL_S:
            self._stood_at_s, self._until_s = self._beat_s, now_s + CATCH_UP_S
        self._beat_s = now_s

    def held_up_s(self, now_s: float) -> float:
        """How much of the time until `now_s`, at which the loop is alive, does not count yet."""
        self.beat(now_s)
        return now_s - self._stood_at_s if now_s < self._until_s else 0.0

    def catching_up_s(self, now_s: float) -> float:
        """How long it is from `now_s` until all time counts; 0: it does."""
        return max(0.0, self._until_s - now_s)

    def next_beat_s(self, now_s: float, due_s: float) -> float:
        """When to beat next, for who gives up at `due_s`."""
        return min(due_s, max(now_s + BEAT_S, due_s - WATCH_S))
