"""A lease in Redis: one holder at a time, and a token that grows with every new holder.

The token fences: a holder that was paused past its lease still has the old, smaller token, and whoever checks tokens
refuses it. Tokens grow even when Redis forgot the lease, since their counter is a key of its own.
"""

from typing import Any

from services.mesh.redis import RedisClient

# One script for taking and keeping: it answers {token, life left of whoever holds it, ms}.
_ACQUIRE = """
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {tonumber(redis.call('HGET', KEYS[1], 'token')), 0}
end
if holder then return {0, redis.call('PTTL', KEYS[1])} end
local token = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 604800)
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', token)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {token, 0}
"""
_RENEW = """
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
_RELEASE = """
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""


class Lease:
    """One candidate's side of the lease at `key`, under the name `holder`.

    `key` must carry a hash tag if the caller's own scripts are to check it beside other keys; the token's counter
    lives at `<key>:token`, for a week after the last new holder. Every method raises UNREACHABLE (services.mesh.redis) while Redis is away: treat that as
    not knowing, and stop acting before `ttl_s` has passed since the last success.
    """

    def __init__(self, redis: RedisClient, key: str, holder: str, ttl_s: float) -> None:
        self.key = key
        self.holder = holder
        self.ttl_s = ttl_s
        self.token = 0
        """Fencing token while held, 0 otherwise."""
        self.free_in_s = 0.0
        """After a failed `acquire`: when the other's lease ends, unless it is renewed."""
        self._acquire = redis.register_script(_ACQUIRE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    @property
    def held(self) -> bool:
        """Whether the last call said that we hold it."""
        return self.token > 0

    async def acquire(self) -> bool:
        """Take the lease if it is free, or keep it if it is ours. A holder that comes back early keeps its token."""
        token, left_ms = await self._acquire(
            keys=[self.key, f"{self.key}:token"], args=[self.holder, self._ttl_ms]
        )
        self.token, self.free_in_s = int(token), max(0, int(left_ms)) / 1000
        return self.held

    async def renew(self) -> bool:
        """Prolong the lease. False: it was lost, and somebody else may hold it."""
        if not self.held:
            return False
        return self.renewed(await self._renew(keys=[self.key], args=[self.holder, self.token, self._ttl_ms]))

    def ask_renewal(self, pipeline: Any) -> None:
        """Put `renew` among the questions of one round trip; `renewed` takes the answer."""
        # As text: a registered script has a pipeline ask first, in a round trip of its own, whether Redis knows it.
        pipeline.eval(_RENEW, 1, self.key, self.holder, self.token, self._ttl_ms)

    def renewed(self, answer: int) -> bool:
        """What `renew` says to the answer of `ask_renewal`."""
        if not answer:
            self.token = 0
        return self.held

    async def release(self) -> None:
        """Give the lease up, so that the next holder need not wait."""
        token, self.token = self.token, 0
        if token:
            await self._release(keys=[self.key], args=[self.holder, token])

    @property
    def _ttl_ms(self) -> int:
        return max(1, round(self.ttl_s * 1000))
