"""Whether a frame is worked at by one core or by several: as it was sooner done lately.

Several cores are quicker where they are free. Where frames come together, as those of cameras in step do, each is sooner done on
a core of its own; and where others want the cores, a frame cut into pieces waits for the slowest of them.
"""

MEMORY = 0.1
"""What one frame counts in how long frames took, and in how often they come together."""
MEMORY_OF_OTHER = 0.5
"""The same of the way that is tried now and then: its frames are few, and its first had a person to find as well."""
SELDOM = 0.3
"""Frames that come together less often than this are taken to be alone."""
LOOK_AGAIN = 50
"""One frame in so many is done in the other way, to see whether that has become quicker."""


class Width:
    """Keeps in mind how frames fared that came while no other was looked at."""

    def __init__(self) -> None:
        self._together = 0.0
        self._took_s: dict[bool, float] = {}
        self._frames = 0

    def wide(self) -> bool:
        """Whether several cores shall work at a frame that comes now, while no other is looked at."""
        if self._together >= SELDOM:
            return False
        self._frames += 1
        wide_s, narrow_s = self._took_s.get(True), self._took_s.get(False)
        if wide_s is None or narrow_s is None:
            return wide_s is None
        quicker = wide_s <= narrow_s
        return quicker if self._frames % LOOK_AGAIN else not quicker

    def took(self, seconds: float, *, wide: bool, together: bool) -> None:
        """How long such a frame took, and whether another one began meanwhile."""
        self._together += MEMORY * (together - self._together)
        if not together:
            before, other = self._took_s.get(wide, seconds), self._took_s.get(not wide, seconds)
            share = MEMORY if before <= other else MEMORY_OF_OTHER
            self._took_s[wide] = before + share * (seconds - before)
