"""A session's scores in Redis: what was published, how far, and what a successor must know. Fenced by the lease."""

import json
from dataclasses import dataclass
from typing import Any

from services.mesh import keys
from services.mesh.redis import RedisClient

MOST_REPETITIONS = 1000

# Scores, cursor and state go in together and only under the current lease: whoever takes over neither counts a
# repetition twice nor loses one. Answers 0 if the lease is another's.
_COMMIT = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
local kept, ttl = ARGV[2], ARGV[3]
local updates, repetitions = tonumber(ARGV[7]), tonumber(ARGV[8])
for i = 9, 8 + updates do redis.call('XADD', KEYS[2], 'MAXLEN', '~', kept, '*', 'update', ARGV[i]) end
for i = 9 + updates, 8 + updates + repetitions do redis.call('RPUSH', KEYS[4], ARGV[i]) end
if repetitions > 0 then redis.call('LTRIM', KEYS[4], -1000, -1) end
redis.call('HSET', KEYS[3], 'cursor', ARGV[4], 'state', ARGV[5])
redis.call('HINCRBY', KEYS[3], 'sets', ARGV[6])
for i = 2, 4 do redis.call('EXPIRE', KEYS[i], ttl) end
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
    state: dict[str, Any]
    """See `SessionScorer.state`."""
    sets: int


class Ledger:
    """One session's side of Redis. Every method raises UNREACHABLE while Redis is away."""

    def __init__(self, redis: RedisClient, session_id: str, *, kept: int, lifetime_s: float) -> None:
        self._redis = redis
        self._lease = keys.scoring_lease(session_id)
        self._out = keys.scores(session_id)
        self._state = keys.scoring_state(session_id)
        self._repetitions = keys.repetitions(session_id)
        self._kept = kept
        self._lifetime_s = max(1, round(lifetime_s))
        self._commit = redis.register_script(_COMMIT)
        self._begin = redis.register_script(_BEGIN)

    async def progress(self) -> Progress:
        """What the last scorer of the session left."""
        raw = await self._redis.hgetall(self._state)
        return Progress(
            cursor=raw.get(b"cursor", b"").decode(),
            reference=raw.get(b"reference", b"").decode(),
            state=json.loads(raw.get(b"state") or b"{}"),
            sets=int(raw.get(b"sets", 0)),
        )

    async def begin(self, token: int, reference: str, cursor: str) -> bool:
        """Start over, because what the session follows has changed. False: the lease is lost."""
        done = await self._begin(
            keys=[self._lease, self._state, self._repetitions],
            args=[token, reference, cursor, self._lifetime_s],
        )
        return bool(done)

    async def commit(
        self, token: int, cursor: str, state: dict[str, Any], updates: list[bytes], repetitions: list[bytes]
    ) -> bool:
        """Publish scores and note how far they go, all or nothing. False: the lease is lost, nothing was written."""
        done = await self._commit(
            keys=[self._lease, self._out, self._state, self._repetitions],
            args=[
                token,
                self._kept,
                self._lifetime_s,
                cursor,
                json.dumps(state),
                len(updates),
                len(updates),
                len(repetitions),
                *updates,
                *repetitions,
            ],
        )
        return bool(done)

    async def repetitions(self) -> list[bytes]:
        """Completed repetitions, oldest first, as komi.scoring.v1.Repetition."""
        found: list[bytes] = await self._redis.lrange(self._repetitions, 0, -1)
        return found
