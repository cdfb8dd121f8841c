"""How many more frames a client may send, and when it is told so.

Every message costs both sides two wake-ups. So credit does not go back frame by frame, but when the client has none left,
all that is due at once; and twice a second at least, since the rate that is of use travels with it. Pure: the caller
reads the clock.
"""

LONGEST_NS = 500_000_000


class Credit:
    """One stream's account. Every method but `displaced` is told the time, CLOCK_MONOTONIC ns."""

    def __init__(self, granted: int, now_ns: int) -> None:
        self._left = granted
        self._due = 0
        self._kept = 0
        self._granted_ns = now_ns

    def arrived(self) -> None:
        """The client has sent a frame."""
        self._left -= 1

    def displaced(self) -> None:
        """A frame gave way to a newer one. Its credit is kept back while pose is busy: given back at once, it would have
        frames sent here just to be dropped here, and not in the camera, where that costs nothing.
        """
        self._kept += 1

    def answered(self, now_ns: int, *, idle: bool = False) -> int:
        """A frame was answered, at once if pose is `idle`. How much to give back now; 0: the client can do without."""
        self._due += 1
        if idle:
            self._due, self._kept = self._due + self._kept, 0
        if self._left > 0 and now_ns - self._granted_ns < LONGEST_NS:
            return 0
        given, self._due = self._due, 0
        self._left += given
        self._granted_ns = now_ns
        return given
