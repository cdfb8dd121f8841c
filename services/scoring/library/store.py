"""References in Redis, versioned: a hash a reference, their ids in one sorted set. A version never changes."""

import asyncio
import json
import secrets

from services.mesh import keys
from services.mesh.errors import FailedPrecondition, NotFound
from services.mesh.redis import RedisClient
from services.mesh.sessions import SessionState, SessionStore
from services.scoring.judging.examples import Example
from services.scoring.library.calibrations import examples_from_bytes
from services.scoring.library.naming import under_its_name
from services.scoring.library.stored import PARTS, Learnt, Stored, parts_of, stored_of
from services.scoring.library.strip import Strip
from services.scoring.reference.template import Template, from_bytes

KEPT_VERSIONS = 20
"""More of one reference are not kept: the oldest go, but never the active one, nor the one that was so before."""

# A new version takes the next number, so two builders at once cannot write the same one; and a reference deleted while
# its refinement was built does not come back as a stump of it. ARGV: name, whether the reference must be there, versions
# kept, then the version's parts, each name before its value.
_ADD = """
if ARGV[2] == '1' and redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local before = redis.call('HGET', KEYS[1], 'active')
local version = redis.call('HINCRBY', KEYS[1], 'latest', 1)
redis.call('HSET', KEYS[1], 'active', version, 'name', ARGV[1])
for i = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[1], version .. ':' .. ARGV[i], ARGV[i + 1])
end
local made, parts = {}, {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local number = tonumber(string.match(field, '^(%d+):'))
  if number and not parts[number] then
    parts[number] = {}
    table.insert(made, number)
  end
  if number then
    table.insert(parts[number], field)
  end
end
table.sort(made)
local spare = #made - tonumber(ARGV[3])
for _, number in ipairs(made) do
  if spare <= 0 then
    break
  end
  if number ~= version and tostring(number) ~= before then
    redis.call('HDEL', KEYS[1], unpack(parts[number]))
    spare = spare - 1
  end
end
return version
"""

# In one step with the look, so that no version is made active that was forgotten meanwhile.
_ACTIVATE = """
if redis.call('HEXISTS', KEYS[1], ARGV[1] .. ':template') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'active', ARGV[1])
return 1
"""


class ReferenceStore:
    """Reads and writes references. Every method raises UNREACHABLE (services.mesh.redis) while Redis is away."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._add = redis.register_script(_ADD)
        self._activate = redis.register_script(_ACTIVATE)
        self._sessions = SessionStore(redis)

    async def add(
        self,
        template: Template,
        name: str,
        made_us: int,
        reference_id: str = "",
        *,
        videos: int = 1,
        strip: Strip | None = None,
        learnt: Learnt | None = None,
    ) -> Stored:
        """Store a template as a new reference, or as the next version of `reference_id`; it becomes the active one.

        Raises NotFound if `reference_id` is given and there is none.
        """
        template = under_its_name(template)
        known = bool(reference_id)
        reference_id = reference_id or f"ref-{secrets.token_hex(6)}"
        parts = await asyncio.to_thread(parts_of, template, made_us, videos, strip, learnt)
        version = int(
            await self._add(
                keys=[keys.reference(reference_id)],
                args=[name, int(known), KEPT_VERSIONS, *(one for part in parts.items() for one in part)],
            )
        )
        if not version:
            raise self._missing(reference_id)
        # Last, so that nothing is listed before it is whole.
        await self._redis.zadd(keys.REFERENCES, {reference_id: made_us})
        return stored_of(reference_id, version, name, parts, template, active=True)

    async def get(self, reference_id: str, version: int = 0) -> Stored:
        """One version, 0 for the active one. Raises NotFound."""
        key = keys.reference(reference_id)
        if version <= 0:
            version = await self.active_version(reference_id)
            if not version:
                raise self._missing(reference_id)
        name, active, *values = await self._redis.hmget(
            key, ["name", "active", *(f"{version}:{part}" for part in PARTS)]
        )
        parts = {part: value for part, value in zip(PARTS, values, strict=True) if value is not None}
        if name is None:
            raise self._missing(reference_id)
        if "template" not in parts:
            raise self._no_version(reference_id, version)
        template = under_its_name(from_bytes(parts["template"]))
        return stored_of(reference_id, version, name.decode(), parts, template, active=int(active) == version)

    async def strip(self, stored: Stored) -> Strip | None:
        """The pictures of a version; None: it has none."""
        jpeg = await self._redis.hget(keys.reference(stored.reference_id), f"{stored.version}:strip")
        return Strip(jpeg, stored.strip_frames) if jpeg and stored.strip_frames else None

    async def examples(self, stored: Stored) -> list[Example]:
        """The labelled repetitions a version has learnt from. Raises BadCalibration if they cannot be read."""
        data = await self._redis.hget(keys.reference(stored.reference_id), f"{stored.version}:examples")
        return await asyncio.to_thread(examples_from_bytes, data) if data else []

    async def active_version(self, reference_id: str) -> int:
        """Number of the version that a session follows unless it names one; 0: there is no such reference."""
        return int(await self._redis.hget(keys.reference(reference_id), "active") or 0)

    async def versions(self, reference_id: str) -> list[Stored]:
        """All versions kept, newest first. Raises NotFound."""
        fields = await self._redis.hkeys(keys.reference(reference_id))
        if not fields:
            raise self._missing(reference_id)
        numbers = [int(field.split(b":")[0]) for field in fields if field.endswith(b":template")]
        found = []
        for number in sorted(numbers, reverse=True):
            try:
                found.append(await self.get(reference_id, number))
            except NotFound:  # forgotten since
                continue
        return found

    async def activate(self, reference_id: str, version: int) -> Stored:
        """Let sessions that name no version follow this one. Raises NotFound."""
        await self._must_exist(reference_id)
        if not int(await self._activate(keys=[keys.reference(reference_id)], args=[version])):
            raise self._no_version(reference_id, version)
        return await self.get(reference_id, version)

    async def list(self, count: int, before: tuple[int, str] | None = None) -> list[Stored]:
        """The active versions of at most `count` references, newest first, made before (microseconds, id) if given.

        The place in the list is that of the newest version, whichever is active.
        """
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

    async def place(self, reference_id: str) -> tuple[int, str]:
        """Where a reference stands in the list: microseconds of its newest version, id."""
        return int(await self._redis.zscore(keys.REFERENCES, reference_id) or 0), reference_id

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

    def _no_version(self, reference_id: str, version: int) -> NotFound:
        return NotFound(
            f"reference {reference_id!r} has no version {version}: GET /api/v1/references/{reference_id}/versions lists them",
            reason="REFERENCE_VERSION_NOT_FOUND",
        )


def page_token(place: tuple[int, str]) -> str:
    """Token of the page after the reference at this place."""
    return json.dumps(place)


def read_page_token(token: str) -> tuple[int, str] | None:
    """What `page_token` wrote; None for the first page. Raises ValueError on anything else."""
    if not token:
        return None
    made_us, reference_id = json.loads(token)
    return int(made_us), str(reference_id)
