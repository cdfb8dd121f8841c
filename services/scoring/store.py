"""References in Redis, versioned: a hash a reference, their ids in one sorted set. A version never changes."""

import json
import secrets
from dataclasses import dataclass

from services.mesh import keys
from services.mesh.errors import FailedPrecondition, NotFound
from services.mesh.redis import RedisClient
from services.mesh.sessions import SessionState, SessionStore
from services.scoring.template import Template, from_bytes, to_bytes

# A new version takes the next number, so two builders at once cannot write the same one.
_ADD = """
local version = redis.call('HINCRBY', KEYS[1], 'latest', 1)
redis.call('HSET', KEYS[1], 'active', version, 'name', ARGV[1], version .. ':template', ARGV[2],
  version .. ':made_us', ARGV[3])
return version
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a reference."""

    reference_id: str
    version: int
    name: str
    made_us: int
    """When it was made, microseconds since the epoch, server clock."""
    template: Template


class ReferenceStore:
    """Reads and writes references. Every method raises UNREACHABLE (services.mesh.redis) while Redis is away."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._add = redis.register_script(_ADD)
        self._sessions = SessionStore(redis)

    async def add(self, template: Template, name: str, made_us: int, reference_id: str = "") -> Stored:
        """Store a template as a new reference, or as the next version of `reference_id`; it becomes the active one."""
        if reference_id:
            await self._must_exist(reference_id)
        else:
            reference_id = f"ref-{secrets.token_hex(6)}"
        version = int(
            await self._add(keys=[keys.reference(reference_id)], args=[name, to_bytes(template), made_us])
        )
        # Last, so that nothing is listed before it is whole.
        await self._redis.zadd(keys.REFERENCES, {reference_id: made_us})
        return Stored(reference_id, version, name, made_us, template)

    async def get(self, reference_id: str, version: int = 0) -> Stored:
        """One version, 0 for the active one. Raises NotFound."""
        key = keys.reference(reference_id)
        if version <= 0:
            version = await self.active_version(reference_id)
            if not version:
                raise self._missing(reference_id)
        name, data, made_us = await self._redis.hmget(
            key, ["name", f"{version}:template", f"{version}:made_us"]
        )
        if name is None:
            raise self._missing(reference_id)
        if data is None:
            raise NotFound(
                f"reference {reference_id!r} has no version {version}", reason="REFERENCE_VERSION_NOT_FOUND"
            )
        return Stored(reference_id, version, name.decode(), int(made_us), from_bytes(data))

    async def active_version(self, reference_id: str) -> int:
        """Number of the version that a session follows unless it names one; 0: there is no such reference."""
        return int(await self._redis.hget(keys.reference(reference_id), "active") or 0)

    async def list(self, count: int, before: tuple[int, str] | None = None) -> list[Stored]:
        """The active versions of at most `count` references, newest first, made before (microseconds, id) if given."""
        found: list[Stored] = []
        start = 0
        while len(found) < count:
            page = await self._redis.zrevrange(keys.REFERENCES, start, start + count - 1, withscores=True)
            if not page:
                break
            start += len(page)
            for member, made_us in page:
                if before is not None and (int(made_us), member.decode()) >= before:
                    continue
                try:
                    found.append(await self.get(member.decode()))
                except NotFound:  # deleted since
                    continue
                if len(found) == count:
                    break
        return found

    async def delete(self, reference_id: str) -> None:
        """Forget all versions. Raises NotFound, or FailedPrecondition while an open session follows it."""
        await self._must_exist(reference_id)
        for session in await self._sessions.list():
            if session.reference_id == reference_id and session.state is SessionState.OPEN:
                raise FailedPrecondition(
                    f"session {session.session_id!r} follows reference {reference_id!r}: end it or give it another first",
                    reason="REFERENCE_IN_USE",
                )
        await self._redis.zrem(keys.REFERENCES, reference_id)
        await self._redis.delete(keys.reference(reference_id))

    async def _must_exist(self, reference_id: str) -> None:
        if not await self._redis.exists(keys.reference(reference_id)):
            raise self._missing(reference_id)

    def _missing(self, reference_id: str) -> NotFound:
        return NotFound(
            f"no reference {reference_id!r}: GET /api/v1/references lists them", reason="REFERENCE_NOT_FOUND"
        )


def page_token(last: Stored) -> str:
    """Token of the page after `last`."""
    return json.dumps([last.made_us, last.reference_id])


def read_page_token(token: str) -> tuple[int, str] | None:
    """What `page_token` wrote; None for the first page. Raises ValueError on anything else."""
    if not token:
        return None
    made_us, reference_id = json.loads(token)
    return int(made_us), str(reference_id)
