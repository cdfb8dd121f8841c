"""A session in Redis: the sets to be scored, what was published, how far, and what a successor must know. Fenced by the
lease.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

from services.mesh import keys
from services.mesh.link import Link
from services.mesh.redis import RedisClient
from services.scoring.reports.kept import KeptReport, ReportChange
from services.scoring.reports.store import ReportStore, read, report_keys

REPORT_LIFETIME_S = 366 * 24 * 3600
BATCH = 32
"""Sets scored and published together when behind."""
BLOCK_MS = 2000
"""A session without sets is looked after this often."""

Entries = list[tuple[bytes, list[bytes]]]
"""Of a stream: position, and names and values in turn."""

# Scores, cursor, state and reports go in together and only under the current lease: whoever takes over neither counts
# a repetition twice nor loses one. State and reports are large, and mostly as they were: a batch may come without.
# Answers 0 if the lease is another's. KEYS: lease, scores, state, repetitions, then four of each report; a list of ARGV
# comes after its length.
_COMMIT = """
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function push(key, most)
  local count = tonumber(take())
  for _ = 1, count do
    local one = take()
    if key then redis.call('RPUSH', key, one) end
  end
  if key and count > 0 then redis.call('LTRIM', key, -most, -1) end
end
if redis.call('HGET', KEYS[1], 'token') ~= take() then return 0 end
local cursor = take()
redis.call('HSET', KEYS[3], 'cursor', cursor)
redis.call('HINCRBY', KEYS[3], 'sets', take())
local kept = take()
for _ = 1, tonumber(take()) do redis.call('XADD', KEYS[2], 'MAXLEN', '~', kept, '*', 'update', take()) end
push(KEYS[4], 1000)
if #ARGV == at then return 1 end
redis.call('HSET', KEYS[3], 'noted', cursor, 'state', take(), 'report', take())
local ttl, lifetime = take(), take()
for i = 2, 4 do redis.call('EXPIRE', KEYS[i], ttl) end
for i = 5, #KEYS, 4 do
  local begins, anew, about, state = take(), take(), take(), take()
  -- One that somebody has deleted must not come back without its beginning.
  local there = begins == '1' or redis.call('EXISTS', KEYS[i]) == 1
  if there then
    redis.call('HSET', KEYS[i], 'about', about, 'state', state)
    if anew == '1' then redis.call('DEL', KEYS[i + 1]) end
  end
  push(there and KEYS[i + 1], 720)
  push(there and KEYS[i + 2], 1000)
  push(there and KEYS[i + 3], 200)
  for k = i, i + 3 do redis.call('EXPIRE', KEYS[k], lifetime) end
end
return 1
"""
_BEGIN = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], 'reference', ARGV[2], 'cursor', ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session is scored."""

    cursor: str
    """Entry of the synced sets' stream up to which it is scored; empty: none yet."""
    reference: str
    """What it was scored against, see `Ledger.begin`."""
    noted: str
    """Entry up to which the state and the report go: at the cursor, or a little before it."""
    state: dict[str, Any]
    """See `SessionScorer.state`."""
    sets: int
    report_id: str
    """The report under way; empty: none."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a successor takes up. A batch with a repetition has one, and else there is one a second."""

    state: dict[str, Any]
    """See `SessionScorer.state`."""
    report_id: str
    """The report under way; empty: none."""
    reports: list[ReportChange]
    """The report under way, and before it what has just ended."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of some synced sets, to be written all or nothing."""

    cursor: str
    """Entry of the synced sets' stream up to which this goes."""
    note: Note | None
    """None: as it was last noted, but for what a successor sees when it looks again."""
    updates: list[bytes]
    """komi.scoring.v1.ScoreUpdate"""
    repetitions: list[bytes]
    """komi.scoring.v1.Repetition"""


class Ledger:
    """One session's side of Redis. Every method raises UNREACHABLE while Redis is away. Call `aclose` when done."""

    def __init__(self, redis: RedisClient, session_id: str, *, kept: int, lifetime_s: float) -> None:
        self._redis = redis
        self._session_id = session_id
        self._reports = ReportStore(redis)
        self._sets = keys.synced_sets(session_id)
        self._lease = keys.scoring_lease(session_id)
        self._out = keys.scores(session_id)
        self._state = keys.scoring_state(session_id)
        self._repetitions = keys.repetitions(session_id)
        self._kept = kept
        self._lifetime_s = max(1, round(lifetime_s))
        self._begin = redis.register_script(_BEGIN)
        self._link: Link | None = None
        self._commit = b""
        """What Redis calls the script, as of this link."""
        self._reading: asyncio.Future[Any] | None = None
        """The next sets, asked for with the last commit."""

    async def aclose(self) -> None:
        """Let the connection go."""
        if self._reading is not None and not self._reading.cancel() and not self._reading.cancelled():
            self._reading.exception()  # nobody else will ask
        if self._link is not None:
            await self._link.aclose()

    async def read(self, after: str) -> Entries:
        """The next sets; none when there were none for a while."""
        if self._reading is None:
            self._reading = _next_sets(await self._linked(), self._sets, after)
        reading, self._reading = self._reading, None
        found: dict[bytes, Entries] | None = await reading
        return found[self._sets.encode()] if found else []

    async def _linked(self) -> Link:
        if self._link is None or self._link.broken:
            self._link = await self._redis.link()
            self._commit = await self._link.call("SCRIPT", "LOAD", _COMMIT)
        return self._link

    async def progress(self) -> Progress:
        """What the last scorer of the session left."""
        raw = await self._redis.hgetall(self._state)
        return Progress(
            cursor=raw.get(b"cursor", b"").decode(),
            reference=raw.get(b"reference", b"").decode(),
            noted=raw.get(b"noted", b"").decode(),
            state=orjson.loads(raw.get(b"state") or b"{}"),
            sets=int(raw.get(b"sets", 0)),
            report_id=raw.get(b"report", b"").decode(),
        )

    async def begin(self, token: int, reference: str, cursor: str) -> bool:
        """Start over, because what the session follows has changed; its report is over. False: the lease is lost."""
        done = await self._begin(
            keys=[self._lease, self._state, self._repetitions],
            args=[token, reference, cursor, self._lifetime_s],
        )
        return bool(done)

    async def commit(self, token: int, batch: Batch) -> bool:
        """Publish scores and note how far they go, all or nothing. False: the lease is lost, nothing was written.

        In the same breath the sets after these are asked for, which spares both sides a wake-up a set: whatever is sent
        next is answered once there are some.
        """
        note = batch.note
        reports = note.reports if note is not None else []
        for change in reports:
            if change.begins:
                await self._reports.announce(self._session_id, change)
        own = [
            self._lease,
            self._out,
            self._state,
            self._repetitions,
            *(key for change in reports for key in report_keys(self._session_id, change.report_id)),
        ]
        link = await self._linked()
        done = link.call(
            "EVALSHA",
            self._commit,
            len(own),
            *own,
            token,
            batch.cursor,
            len(batch.updates),
            self._kept,
            *_counted(batch.updates),
            *_counted(batch.repetitions),
            *(self._noted(note) if note is not None else ()),
        )
        self._reading = _next_sets(link, self._sets, batch.cursor)
        return bool(await done)

    def _noted(self, note: Note) -> list[bytes | str | int]:
        return [
            orjson.dumps(note.state, option=orjson.OPT_SERIALIZE_NUMPY),
            note.report_id,
            self._lifetime_s,
            REPORT_LIFETIME_S,
            *(arg for change in note.reports for arg in _args(change)),
        ]

    async def report(self, report_id: str) -> KeptReport | None:
        """A report of this session; None: there is none."""
        return await read(self._redis, self._session_id, report_id) if report_id else None

    async def repetitions(self) -> list[bytes]:
        """Completed repetitions, oldest first, as komi.scoring.v1.Repetition."""
        found: list[bytes] = await self._redis.lrange(self._repetitions, 0, -1)
        return found


def _next_sets(link: Link, key: str, after: str) -> asyncio.Future[Any]:
    return link.call("XREAD", "COUNT", BATCH, "BLOCK", BLOCK_MS, "STREAMS", key, after)


def _counted(values: list[bytes]) -> list[bytes | int]:
    return [len(values), *values]


def _args(change: ReportChange) -> list[bytes | int]:
    return [
        int(change.begins),
        int(change.anew),
        change.about,
        change.state,
        *_counted(change.points),
        *_counted(change.repetitions),
        *_counted(change.cues),
    ]
