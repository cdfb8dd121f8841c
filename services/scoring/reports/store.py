"""Reports in Redis: each beside its session's other keys, one index over all. Scorers write them through `Ledger`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from services.mesh import keys
from services.mesh.errors import FailedPrecondition, NotFound
from services.mesh.redis import RedisClient
from services.mesh.sessions import SessionState, SessionStore
from services.scoring.reports import messages
from services.scoring.reports.kept import KeptReport, ReportChange

MOST_REPORTS = 1000
LISTS = ("points", "repetitions", "cues")
"""What of a report grows, a list each."""


def report_keys(session_id: str, report_id: str) -> list[str]:
    """The keys of a report: its hash, then its lists; all in the session's slot."""
    return [
        keys.report(session_id, report_id),
        *(keys.report(session_id, report_id, part) for part in LISTS),
    ]


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A report in the index; ordered from the oldest to the newest."""

    start_us: int
    report_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """A report, and whether its performance goes on."""

    kept: KeptReport
    goes_on: bool


class ReportStore:
    """Lists, reads and deletes reports. Every method raises UNREACHABLE (services.mesh.redis) while Redis is away."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._sessions = SessionStore(redis)

    async def list(
        self, count: int, session_id: str = "", before: tuple[int, str] | None = None
    ) -> "list[Found]":
        """At most `count`, newest first, without what grows; begun before (microseconds, id) if given."""
        found: list[Found] = []
        current: dict[str, str] = {}
        now_s = await self._now_s()
        for entry in sorted(await self._index(), reverse=True):
            if session_id and entry.session_id != session_id:
                continue
            if before is not None and (entry.start_us, entry.report_id) >= before:
                continue
            fields = await self._redis.hgetall(keys.report(entry.session_id, entry.report_id))
            if not fields:  # announced and not written yet, or over its lifetime
                continue
            if entry.session_id not in current:
                current[entry.session_id] = await self._current(entry.session_id)
            kept = KeptReport(entry.report_id, entry.session_id, fields[b"about"], fields[b"state"])
            found.append(Found(kept, _goes_on(kept, current[entry.session_id], now_s)))
            if len(found) == count:
                break
        return found

    async def get(self, report_id: str) -> Found:
        """One report, whole. Raises NotFound."""
        raw = await self._redis.hget(keys.REPORTS, report_id)
        kept = await read(self._redis, _entry(report_id, raw).session_id, report_id) if raw else None
        if kept is None:
            raise NotFound(
                f"no report {report_id!r}: GET /api/v1/reports lists them", reason="REPORT_NOT_FOUND"
            )
        current = await self._current(kept.session_id)
        return Found(kept, _goes_on(kept, current, await self._now_s()))

    async def newest_of(self, session_id: str) -> Found:
        """The newest report of a session, whole. Raises NotFound."""
        newest = await self.list(1, session_id)
        if not newest:
            raise NotFound(
                f"session {session_id!r} has no report: one begins once somebody moves along its reference",
                reason="NO_REPORT",
            )
        return await self.get(newest[0].kept.report_id)

    async def delete(self, report_id: str) -> None:
        """Forget a report. Raises NotFound, or FailedPrecondition while its performance goes on."""
        found = await self.get(report_id)
        if found.goes_on:
            raise FailedPrecondition(
                f"report {report_id!r} is still being written: end session {found.kept.session_id!r} first, "
                "or give it another reference",
                reason="REPORT_OPEN",
            )
        await self._forget(found.kept.session_id, report_id)

    async def announce(self, session_id: str, change: ReportChange) -> None:
        """Put a report into the index, which comes before writing it: one that is kept is always found.

        The oldest are forgotten where there are too many.
        """
        entry = json.dumps([session_id, change.start_us])
        await self._redis.hset(keys.REPORTS, change.report_id, entry)
        if await self._redis.hlen(keys.REPORTS) > MOST_REPORTS:
            for old in sorted(await self._index())[:-MOST_REPORTS]:
                await self._forget(old.session_id, old.report_id)

    async def _forget(self, session_id: str, report_id: str) -> None:
        await self._redis.delete(*report_keys(session_id, report_id))
        await self._redis.hdel(keys.REPORTS, report_id)

    async def _current(self, session_id: str) -> str:
        """The report the session writes at now; empty: none."""
        try:
            config = await self._sessions.get(session_id)
        except NotFound:
            return ""
        if config.state is not SessionState.OPEN:
            return ""
        return (await self._redis.hget(keys.scoring_state(session_id), "report") or b"").decode()

    async def _now_s(self) -> float:
        """The server clock, which is that of Redis."""
        seconds, micros = await self._redis.time()
        return float(seconds) + float(micros) / 1e6

    async def _index(self) -> Iterable[Entry]:
        raw = await self._redis.hgetall(keys.REPORTS)
        return [_entry(report_id.decode(), data) for report_id, data in raw.items()]


def _goes_on(kept: KeptReport, current: str, now_s: float) -> bool:
    # Nobody marks a report as ended: a scorer may be killed, and a session nobody stands before scores nothing.
    return kept.report_id == current and not messages.performance(kept).is_over(now_s)


async def read(redis: RedisClient, session_id: str, report_id: str) -> KeptReport | None:
    """A report, whole, as of one instant; None: there is none."""
    head, *lists = report_keys(session_id, report_id)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hgetall(head)
        for key in lists:
            pipe.lrange(key, 0, -1)
        fields, points, repetitions, cues = await pipe.execute()
    if not fields:
        return None
    return KeptReport(report_id, session_id, fields[b"about"], fields[b"state"], points, repetitions, cues)


def _entry(report_id: str, data: bytes) -> Entry:
    session_id, start_us = json.loads(data)
    return Entry(int(start_us), report_id, str(session_id))
