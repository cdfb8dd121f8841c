"""Which sessions this replica scores: it takes the free ones, keeps their leases, and lets go when it must."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import structlog

from services.mesh import keys
from services.mesh.lease import Lease
from services.mesh.redis import UNREACHABLE, RedisClient
from services.scoring import metrics
from services.scoring.config import ScoringSettings
from services.scoring.ledger import Ledger
from services.scoring.store import ReferenceStore
from services.scoring.worker import SessionWorker, Superseded

log = structlog.get_logger()

THREADS = 2


@dataclass(slots=True)
class _Held:
    lease: Lease
    task: asyncio.Task[None]
    renewed_s: float


class Roster:
    """Holds sessions by their leases and runs a worker for each."""

    def __init__(self, settings: ScoringSettings, redis: RedisClient, replica_id: str) -> None:
        self._settings = settings
        self._redis = redis
        self._replica_id = replica_id
        self._references = ReferenceStore(redis)
        self._held: dict[str, _Held] = {}
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="score")

    async def run(self) -> None:
        """Look after the leases until cancelled."""
        while True:
            try:
                await self._round()
            except UNREACHABLE as error:
                log.warning("Redis cannot be reached", error=type(error).__name__)
                self._drop_expired()
            await asyncio.sleep(self._settings.lease_s / 4)

    async def _round(self) -> None:
        await self._keep()
        names = {name.decode() for name in await self._redis.smembers(keys.SESSIONS)} | {keys.LIVE_SESSION}
        for session_id in sorted(names - self._held.keys()):
            if len(self._held) >= self._settings.max_sessions:
                break
            lease = Lease(
                self._redis, keys.scoring_lease(session_id), self._replica_id, self._settings.lease_s
            )
            if await lease.acquire():
                self._hold(session_id, lease)
        metrics.SESSIONS.set(len(self._held))

    async def _keep(self) -> None:
        now = asyncio.get_running_loop().time()
        for session_id, held in list(self._held.items()):
            if held.task.done():
                self._end(session_id, held)
                await held.lease.release()
            elif await held.lease.renew():
                held.renewed_s = now
            else:
                held.task.cancel()
                del self._held[session_id]
                log.info("another replica scores the session now", session=session_id)

    def _hold(self, session_id: str, lease: Lease) -> None:
        ledger = Ledger(
            self._redis,
            session_id,
            kept=self._settings.kept_updates,
            lifetime_s=self._settings.kept_hours * 3600,
        )
        worker = SessionWorker(session_id, self._redis, lease, ledger, self._references, self._executor)
        loop = asyncio.get_running_loop()
        self._held[session_id] = _Held(
            lease, loop.create_task(worker.run(), name=f"score {session_id}"), loop.time()
        )
        log.info("scoring session", session=session_id, token=lease.token)

    def _end(self, session_id: str, held: _Held) -> None:
        """A worker stopped by itself: say why, once."""
        del self._held[session_id]
        error = None if held.task.cancelled() else held.task.exception()
        if isinstance(error, UNREACHABLE):
            log.warning("scoring stopped: Redis cannot be reached", session=session_id)
        elif error is not None and not isinstance(error, Superseded):
            log.error("scoring failed; it starts again", session=session_id, exc_info=error)

    def _drop_expired(self) -> None:
        """Without Redis a lease may be another's once its time is over."""
        now = asyncio.get_running_loop().time()
        for session_id, held in list(self._held.items()):
            if now - held.renewed_s > self._settings.lease_s:
                held.task.cancel()
                del self._held[session_id]

    async def close(self) -> None:
        """Stop all workers and give the leases up, so that others need not wait."""
        held, self._held = self._held, {}
        for one in held.values():
            one.task.cancel()
        await asyncio.gather(*(one.task for one in held.values()), return_exceptions=True)
        with suppress(*UNREACHABLE, TimeoutError):
            async with asyncio.timeout(1.0):
                for one in held.values():
                    await one.lease.release()
        await asyncio.to_thread(self._executor.shutdown)
