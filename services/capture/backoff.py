"""How long to wait before trying again."""

import random


class Backoff:
    """Growing, jittered pauses: cameras that lost the same server do not all come back at the same instant."""

    def __init__(self, first_s: float, longest_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rng = rng
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait now; at most `longest_s`."""
        pause_s = min(self._longest_s, self._first_s * 2.0**self._tries)
        self._tries = min(self._tries + 1, 16)
        return pause_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It worked: the next failure waits the shortest again."""
        self._tries = 0
