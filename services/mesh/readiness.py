"""Readiness that means it: a service is ready while every check passes."""

import time
from collections.abc import Awaitable, Callable

Check = Callable[[], Awaitable[str | None]]
"""Answers None when fine, else what is waited for, in a few words."""
STALE_S = 10.0
"""What was found longer ago than this says nothing of now: the event loop stands still."""


class Readiness:
    """The checks of one service and what they said last."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._waiting: dict[str, str] = {"start": "the service is starting"}
        self._draining = False
        self._looked_s = float("inf")

    def add(self, name: str, check: Check) -> None:
        """Ready only while `check` answers None."""
        self._checks[name] = check

    def drain(self) -> None:
        """Never ready again."""
        self._draining = True

    @property
    def waiting_for(self) -> dict[str, str]:
        """What keeps the service from being ready, by check; empty when it is ready."""
        if self._draining:
            return {"drain": "the service is shutting down"}
        if time.monotonic() - self._looked_s > STALE_S:
            return {"loop": f"the service has not looked for {STALE_S:g} s: its event loop stands still"}
        return self._waiting

    @property
    def ready(self) -> bool:
        """Whether every check passed when last asked."""
        return not self.waiting_for

    async def refresh(self) -> bool:
        """Ask every check; True when the answer (ready, or what is waited for) changed."""
        waiting: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                missing = await check()
            except Exception as error:  # noqa: BLE001 - a check that fails is a check that does not pass
                missing = f"{type(error).__name__}: {error}"
            if missing is not None:
                waiting[name] = missing
        changed = waiting != self._waiting
        self._waiting, self._looked_s = waiting, time.monotonic()
        return changed
