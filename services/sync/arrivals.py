"""Notices arrivals that were stored by another replica and whose message never came."""


class ArrivalNumbers:
    """Every stored pose of a session has a number; the holder should hear of all of them, in any order."""

    def __init__(self, patience_s: float = 0.1) -> None:
        self._patience_s = patience_s
        self._whole = 0
        self._ahead: set[int] = set()
        self._since_s: float | None = None

    def restart(self, number: int) -> None:
        """Everything up to `number` is known."""
        self._whole, self._since_s = number, None
        self._ahead.clear()

    def heard(self, number: int, now_s: float) -> None:
        """Number `number` has come, at `now_s` on any steady clock."""
        if number <= self._whole:
            return
        self._ahead.add(number)
        while self._whole + 1 in self._ahead:
            self._whole += 1
            self._ahead.discard(self._whole)
        if not self._ahead:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now_s

    def lost(self, now_s: float) -> bool:
        """Whether a number has been missing for longer than it should."""
        return self._since_s is not None and now_s - self._since_s > self._patience_s
