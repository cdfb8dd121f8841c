"""Which of a source's frames are taken, so that they come evenly and no faster than asked; and how fast they come."""

from collections import deque

NS = 1_000_000_000
GRID_FROM = 1.5
"""Source frames a sent frame from which on the grid decides; below, a frame between two instants would be ambiguous."""


class Pacer:
    """Thins a source's frames out to a target rate.

    A source that gives many more frames than asked for is thinned by a grid of instants that all cameras share: each
    sends its frames nearest to the same instants, which sets them closer together than their free-running shutters.
    """

    def __init__(self) -> None:
        self._due_ns: int | None = None
        self._last_ns = 0

    def take(self, at_ns: int, fps: float) -> bool:
        """Whether to take the frame of this instant. Depends on the instants alone, so that equal recordings agree."""
        period_ns = round(NS / fps)
        source_period_ns = min(at_ns - self._last_ns, period_ns)
        self._last_ns = at_ns
        due_ns = self._due_ns
        if due_ns is None or abs(at_ns - due_ns) > 2 * period_ns:
            due_ns = at_ns
        # Early by up to half a frame of the source it is still the nearest one; a source of the very rate asked for
        # does not lose frames to the jitter of its stamps.
        if at_ns < due_ns - source_period_ns // 2:
            return False
        if period_ns > GRID_FROM * source_period_ns:
            self._due_ns = ((at_ns + source_period_ns // 2) // period_ns + 1) * period_ns
        else:
            self._due_ns = max(due_ns, at_ns - period_ns // 2) + period_ns
        return True


class RateMeter:
    """Events a second over the last seconds, from a count that is looked at now and then."""

    def __init__(self, window_s: float = 3.0) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, now_s: float, total: int) -> float:
        """The rate, when `total` events have happened until `now_s`."""
        self._samples.append((now_s, total))
        while len(self._samples) > 2 and now_s - self._samples[1][0] >= self._window_s:
            self._samples.popleft()
        first_s, first = self._samples[0]
        return (total - first) / (now_s - first_s) if now_s > first_s else 0.0
