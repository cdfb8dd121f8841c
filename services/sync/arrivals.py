"""Notices poses that another replica stored and whose announcement never came."""


class ArrivalNumbers:
    """What other replicas store is announced under rising numbers; the holder should hear of all, in any order."""

    def __init__(self, patience_s: float = 0.1) -> None:
        self._patience_s = patience_s
        self._highest = 0
        self._whole = 0
        self._ahead: set[int] = set()
        self._since_s: float | None = None

    def restart(self, number: int) -> None:
        """Everything up to `number` is known."""
        self._whole = self._highest = number
        self._since_s = None
        self._ahead.clear()

    def heard(self, number: int, now_s: float) -> None:
        """Number `number` has come, at `now_s` on any steady clock."""
        if number > self._whole:
            self._ahead.add(number)
        while self._whole + 1 in self._ahead:
            self._whole += 1
            self._ahead.discard(self._whole)
        self.exists(number, now_s)

    def exists(self, number: int, now_s: float) -> None:
        """Numbers up to `number` were given, so the store says; their announcements come or came."""
        self._highest = max(self._highest, number)
        if self._whole == self._highest:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now_s

    def lost(self, now_s: float) -> bool:
        """Whether a number has been missing for longer than it should."""
        return self._since_s is not None and now_s - self._since_s > self._patience_s
