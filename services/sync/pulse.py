"""Notices that this process was held up, so that cameras are not blamed for it.

When the event loop stood still (a busy machine, a paused container), frames that came in time lie unread. Time counts on
only once they had a moment to be read.
"""

import asyncio

BEAT_S = 0.01
STALL_S = 0.03
"""A beat this much later than the last one means that the loop stood still."""
CATCH_UP_S = 0.02
"""How long reading what piled up may take."""
REST_S = 5.0
"""Not asked for so long, that is without a pose in any session, it stops beating: an idle mesh costs next to nothing."""


class Pulse:
    """Beats a hundred times a second while anybody asks it. Start `run` with the service's Tasks."""

    def __init__(self) -> None:
        self._beat_s = 0.0
        """The last beat; 0 while it rests."""
        self._stood_at_s = 0.0
        self._until_s = 0.0
        self._asked_s = 0.0
        self._asked = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def beats(self) -> bool:
        """Whether it beats at present, and not rests."""
        return self._beat_s > 0

    async def run(self) -> None:
        """Beat, or rest where nobody asked for a while, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._asked.wait()
            self._asked.clear()
            rest: asyncio.Future[None] = loop.create_future()
            self._go_on(loop, rest)
            try:
                await rest
            finally:
                if self._timer is not None:
                    self._timer.cancel()
            self._beat_s = 0.0

    def _go_on(self, loop: asyncio.AbstractEventLoop, rest: "asyncio.Future[None]") -> None:
        """Beat, and see to the next beat. A task that slept between two would cost half as much again."""
        self.beat(loop.time())
        if self._beat_s - self._asked_s < REST_S:
            self._timer = loop.call_later(BEAT_S, self._go_on, loop, rest)
        elif not rest.done():
            rest.set_result(None)

    def beat(self, now_s: float) -> None:
        """The loop is alive at `now_s`."""
        if self._beat_s and now_s - self._beat_s > STALL_S:
            self._stood_at_s, self._until_s = self._beat_s, now_s + CATCH_UP_S
        self._beat_s = now_s

    def held_up_s(self, now_s: float) -> float:
        """How much of the time until `now_s` does not count yet, seconds."""
        self._asked_s = now_s
        self._asked.set()
        if self._beat_s and now_s - self._beat_s > STALL_S:
            return now_s - self._beat_s
        return now_s - self._stood_at_s if now_s < self._until_s else 0.0
