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
from services.scoring.library.store import ReferenceStore
from services.scoring.phrasing.model import LanguageModel
from services.scoring.sessions.ledger import Ledger
from services.scoring.sessions.worker import SessionWorker, Superseded

log = structlog.get_logger()

THREADS = 2
DRAIN_S = 1.0
"""Longest time workers get to end by themselves."""


@dataclass(slots=True)
class _Held:
    lease: Lease
    worker: SessionWorker
    task: asyncio.Task[None]
    renewed_s: float


class Roster:
    """Holds sessions by their leases and runs a worker for each."""

    def __init__(
        self,
        settings: ScoringSettings,
        redis: RedisClient,
        replica_id: str,
        model: LanguageModel | None = None,
    ) -> None:
        self._settings = settings
        self._redis = redis
        self._replica_id = replica_id
        self._model = model
        self._references = ReferenceStore(redis)
        self._held: dict[str, _Held] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="score")

    async def run(self) -> None:
        """Look after the leases until drained."""
        while not self._stopping.is_set():
            try:
                await self._round()
            except UNREACHABLE as error:
                log.warning("Redis cannot be reached", error=type(error).__name__)
                self._drop_expired()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.lease_s / 4):
                    await self._stopping.wait()
        self._stopped.set()

    async def drain(self) -> None:
        """Take no more sessions, and have the workers end once what they have read is scored, so that others can go on at
        once.
        """
        self._stopping.set()
        for held in self._held.values():
            held.worker.stop()
        tasks = [held.task for held in self._held.values()] + list(self._leaving)
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._stopped.wait()

    async def _round(self) -> None:
        for session_id, held in list(self._held.items()):
            if held.task.done():
                self._end(session_id, held)
                await held.lease.release()
        for session_id in sorted(await self._keep() - self._held.keys()):
            if len(self._held) >= self._settings.max_sessions:
                break
            lease = Lease(
                self._redis, keys.scoring_lease(session_id), self._replica_id, self._settings.lease_s
            )
            if await lease.acquire():
                if self._stopping.is_set():
                    # `drain` has told those that were held then, and would not know of this one.
                    await lease.release()
                    return
                self._hold(session_id, lease)
        metrics.SESSIONS.set(len(self._held))

    async def _keep(self) -> set[str]:
        """Renew the leases and learn which sessions there are, in one round trip."""
        now = asyncio.get_running_loop().time()
        asked = list(self._held.items())
        async with self._redis.pipeline(transaction=False) as pipe:
            for _, held in asked:
                held.lease.ask_renewal(pipe)
            pipe.smembers(keys.SESSIONS)
            *answers, names = await pipe.execute()
        for (session_id, held), answer in zip(asked, answers, strict=True):
            if held.lease.renewed(answer):
                held.renewed_s = now
            else:
                self._let_go(session_id)
                log.info("another replica scores the session now", session=session_id)
        return {name.decode() for name in names} | {keys.LIVE_SESSION}

    def _hold(self, session_id: str, lease: Lease) -> None:
        ledger = Ledger(
            self._redis,
            session_id,
            kept=self._settings.kept_updates,
            lifetime_s=self._settings.kept_hours * 3600,
        )
        worker = SessionWorker(
            session_id, self._redis, lease, ledger, self._references, self._executor, self._model
        )
        loop = asyncio.get_running_loop()
        self._held[session_id] = _Held(
            lease, worker, loop.create_task(worker.run(), name=f"score {session_id}"), loop.time()
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
                self._let_go(session_id)

    def _let_go(self, session_id: str) -> None:
        """End a worker whose lease is over; whatever it still commits is refused, its token being old."""
        held = self._held.pop(session_id)
        held.worker.stop()
        self._leaving.add(held.task)
        held.task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled():
            task.exception()  # refused, or Redis away: both are expected of a worker that was let go

    async def close(self) -> None:
        """Give the leases up, so that others need not wait. After `drain`."""
        held, self._held = self._held, {}
        # Those that were let go as well: one may wait for a Redis that is away.
        tasks = [one.task for one in held.values()] + list(self._leaving)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN_S)
        with suppress(*UNREACHABLE, TimeoutError):
            async with asyncio.timeout(1.0):
                for one in held.values():
                    await one.lease.release()
        await asyncio.to_thread(self._executor.shutdown)
