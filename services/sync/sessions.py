"""The sessions this replica works for: one worker each, for as long as poses come in here."""

import asyncio
import contextlib

from services.mesh.tasks import Tasks
from services.sync import metrics
from services.sync.parts import Parts
from services.sync.worker import SessionWorker

LINGER_S = 5.0
"""A session without streams is kept this long: its last sets leave, and a stream that comes back finds it."""


class Sessions:
    """Workers by session id. Start `run` with the service's Tasks."""

    def __init__(self, parts: Parts, tasks: Tasks) -> None:
        self._parts = parts
        self._tasks = tasks
        self._workers: dict[str, tuple[SessionWorker, asyncio.Task[None]]] = {}
        self._streams: dict[str, int] = {}
        self._leaving = False

    def join(self, session_id: str) -> SessionWorker:
        """The session's worker, for one more stream; call `leave` when the stream ends."""
        self._streams[session_id] = self._streams.get(session_id, 0) + 1
        found = self._workers.get(session_id)
        if found is None:
            worker = SessionWorker(session_id, self._parts, leaving=self._leaving)
            found = (worker, self._tasks.start("sync-session", worker.run))
            self._workers[session_id] = found
        return found[0]

    def leave(self, session_id: str) -> None:
        """One stream less."""
        self._streams[session_id] -= 1
        if not self._streams[session_id]:
            del self._streams[session_id]

    def get(self, session_id: str) -> SessionWorker | None:
        """The worker, if this replica has one."""
        found = self._workers.get(session_id)
        return found[0] if found is not None else None

    async def run(self) -> None:
        """End workers that nobody feeds any more, until cancelled."""
        while True:
            await asyncio.sleep(LINGER_S / 5)
            for session_id, (worker, _) in list(self._workers.items()):
                if session_id not in self._streams and worker.idle_s > LINGER_S:
                    await self._end(session_id)

    async def hand_over(self) -> None:
        """Let other replicas take all sessions over; streams may still end in peace, and none that comes takes one."""
        self._leaving = True
        await asyncio.gather(*(worker.hand_over() for worker, _ in self._workers.values()))

    async def close(self) -> None:
        """End all: their leases are free at once."""
        await asyncio.gather(*(self._end(session_id) for session_id in list(self._workers)))

    async def _end(self, session_id: str) -> None:
        worker, task = self._workers.pop(session_id)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await worker.close()
        metrics.forget(session_id, list(worker.holder.matcher.cameras.tracks))
