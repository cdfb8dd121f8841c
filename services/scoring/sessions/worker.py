"""Scores one session for as long as this replica holds its lease: reads synced sets, publishes scores."""

import asyncio
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial

import structlog

from services.mesh import keys
from services.mesh.cameras import CameraRegister
from services.mesh.errors import KomiError, NotFound
from services.mesh.lease import Lease
from services.mesh.redis import RedisClient
from services.mesh.sessions import Mode, SessionConfig, SessionStore
from services.scoring import metrics
from services.scoring.library.store import ReferenceStore
from services.scoring.library.stored import Stored
from services.scoring.live.session import Rules
from services.scoring.phrasing.model import LanguageModel
from services.scoring.phrasing.wording import Wording
from services.scoring.sessions.ledger import Batch, Entries, Ledger, Progress
from services.scoring.sessions.scribe import Scribe
from services.scoring.sessions.silhouettes import Silhouettes

log = structlog.get_logger()

AT_ONCE = 2
"""So many sets take less time than handing them to a thread and back does, whose work would hold the loop up as well: it
is Python's. More, and those a successor looks at again, go to a thread."""
CONFIG_S = 0.5
"""A set is scored by a configuration that is no older."""
LOOK_BACK = 300
"""Sets a successor looks at again, so that a repetition under way is not lost: ten seconds at 30 a second."""


class Superseded(Exception):
    """Another replica holds the lease now."""


class SessionWorker:
    """One session. `run` ends when the lease is lost or the session is gone."""

    def __init__(
        self,
        session_id: str,
        redis: RedisClient,
        lease: Lease,
        ledger: Ledger,
        references: ReferenceStore,
        executor: Executor,
        model: LanguageModel | None = None,
    ) -> None:
        self._session_id = session_id
        self._redis = redis
        self._lease = lease
        self._ledger = ledger
        self._references = references
        self._sessions = SessionStore(redis)
        self._silhouettes = Silhouettes(CameraRegister(redis))
        self._executor = executor
        self._wording = Wording(model) if model is not None else None
        self._sets = keys.synced_sets(session_id)
        self._follows = ""
        self._cursor = ""
        self._log = log.bind(session=session_id)
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._waits = False

    def stop(self) -> None:
        """End `run`: at once while it waits for sets, else once those it has are scored."""
        self._stopping = True
        if self._waits and self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Score until superseded or stopped. Raises UNREACHABLE when Redis goes away."""
        self._task = asyncio.current_task()
        try:
            await self._score()
        finally:
            await self._ledger.aclose()
            if self._wording is not None:
                await self._wording.aclose()

    async def _score(self) -> None:
        loop = asyncio.get_running_loop()
        scribe = await self._start(await self._ledger.progress())
        looked_s = loop.time()
        while not self._stopping:
            entries = await self._read()
            if loop.time() - looked_s >= CONFIG_S:
                looked_s = loop.time()
                config = await self._config()
                scribe = await self._follow(scribe, config)
                await self._ask_for_silhouettes(scribe, config)
            if not entries:
                continue
            sets = [fields[1] for _, fields in entries if fields[0] == b"set"]
            worded = self._wording.worded if self._wording is not None else None
            if len(sets) <= AT_ONCE:
                written = scribe.write(sets, worded)
            else:
                written = await loop.run_in_executor(self._executor, scribe.write, sets, worded)
            cursor = entries[-1][0].decode()
            batch = Batch(cursor, written.note, written.updates, written.repetitions)
            kept = await self._ledger.commit(self._lease.token, batch)
            if not kept:
                metrics.dropped("superseded", len(sets))
                raise Superseded
            self._cursor = cursor
            if self._wording is not None:
                # Only now that the cue is out in the template's words.
                self._wording.offer(scribe.exercise, scribe.cue)

    async def _read(self) -> Entries:
        self._waits = True
        try:
            return await self._ledger.read(self._cursor)
        finally:
            self._waits = False

    async def _start(self, progress: Progress) -> Scribe:
        """A scribe for the session as it is configured, taking up a predecessor's work where there is any."""
        config = await self._config()
        self._cursor = progress.cursor or await self._newest()
        scribe = await self._scribe(config)
        self._follows = _follows(config, scribe.reference)
        if progress.reference != self._follows:
            await self._begin()
            return scribe
        if progress.cursor:
            seen = await self._redis.xrevrange(self._sets, max=progress.cursor, count=LOOK_BACK)
            kept = [(entry, fields[b"set"]) for entry, fields in reversed(seen) if b"set" in fields]
            noted = _place(progress.noted or progress.cursor)
            unreported = sum(_place(entry.decode()) > noted for entry, _ in kept)
            loop = asyncio.get_running_loop()
            report = await self._ledger.report(progress.report_id)
            earlier = [data for _, data in kept]
            resume = partial(scribe.resume, earlier, progress.state, report, unreported=unreported)
            await loop.run_in_executor(self._executor, resume)
            self._log.info("took up a session", sets=progress.sets)
        return scribe

    async def _ask_for_silhouettes(self, scribe: Scribe, config: SessionConfig) -> None:
        asked = {"1": True, "0": False}.get(config.extra.get("silhouettes", ""))
        of_use = scribe.outline_cameras(asked)
        if asked is False:
            await self._silhouettes.stop()
        else:
            await self._silhouettes.ask(of_use, asyncio.get_running_loop().time())

    async def _follow(self, scribe: Scribe, config: SessionConfig) -> Scribe:
        """The same scribe, or a fresh one if the session follows something else now."""
        stored = scribe.reference
        if stored is not None and config.reference_id == stored.reference_id:
            # Only the number is asked for: to load a reference and prepare it takes as long as to score ten sets.
            version = config.reference_version or await self._references.active_version(stored.reference_id)
            if version == stored.version and _follows(config, stored) == self._follows:
                return scribe
        fresh = await self._scribe(config)
        follows = _follows(config, fresh.reference)
        if follows == self._follows:
            return scribe
        self._follows = follows
        await self._begin()
        self._log.info("session follows another reference", reference=config.reference_id)
        return fresh

    async def _begin(self) -> None:
        if not await self._ledger.begin(self._lease.token, self._follows, self._cursor):
            raise Superseded

    async def _config(self) -> SessionConfig:
        try:
            return await self._sessions.get(self._session_id)
        except NotFound as gone:
            raise Superseded from gone

    async def _scribe(self, config: SessionConfig) -> Scribe:
        stored: Stored | None = None
        if config.reference_id:
            try:
                stored = await self._references.get(config.reference_id, config.reference_version)
            except KomiError as error:
                self._log.warning(
                    "cannot use the reference", reference=config.reference_id, message=error.message
                )
        return Scribe(stored, rules_of(config))

    async def _newest(self) -> str:
        """Where the stream of synced sets ends now: a session is scored from when scoring first sees it."""
        newest = await self._redis.xrevrange(self._sets, count=1)
        return newest[0][0].decode() if newest else "0-0"


def rules_of(config: SessionConfig) -> Rules:
    """How a session asks to be scored. `extra` may hold target_repetitions and allow_mirror (0 or 1)."""
    target = 0
    with suppress(ValueError):
        target = max(0, int(config.extra.get("target_repetitions", "0")))
    return Rules(
        video_leads=config.mode is Mode.VIDEO,
        allow_mirror=config.extra.get("allow_mirror", "1") != "0",
        target_repetitions=target,
    )


def _place(entry: str) -> tuple[int, ...]:
    """An entry of a stream as it is ordered there."""
    return tuple(map(int, entry.split("-")))


def _follows(config: SessionConfig, stored: Stored | None) -> str:
    """Names all that makes the counts start over when it changes."""
    made = f"{stored.reference_id}/{stored.version}" if stored is not None else "-"
    return f"{config.created_us}/{made}/{rules_of(config)}"
