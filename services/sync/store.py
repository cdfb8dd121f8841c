"""A session's join in Redis: poses that wait in a sorted set by server time, sets that left in a stream.

Keys of one session share a hash slot (`komi:{id}:sync:…`):

    waiting   sorted set   member camera|epoch|sequence, score server time in microseconds
    poses     hash         member -> PoseFrame
    meta      hash         w watermark, s sets emitted, f fence, n arrivals, e:<camera> last emitted epoch:sequence,
                           l:<camera> last stored epoch:sequence:time:arrival
    out       stream       field set: SyncedSet
    lease     hash         services.mesh.lease
    status    string       GetSessionStatusResponse, written by the holder every second

Every change is one script (services/sync/scripts), so that a process or a Redis that dies leaves a whole state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from services.mesh import keys
from services.mesh.redis import RedisClient
from services.sync.errors import Fenced, Moved
from services.sync.frames import Frame, from_member

SESSIONS = "komi:sync:sessions"
"""Sorted set of session ids; score: when a pose last came, microseconds."""
LISTED_US = 60_000_000
STATUS_LIFE_S = 60
LEAST_SETS = 32
SCRIPTS = Path(__file__).parent / "scripts"


class Stored(IntEnum):
    """What became of a pose."""

    STORED = 1
    LATE = 2
    DUPLICATE = 3


@dataclass(frozen=True)
class Ingested:
    """Answer of `ingest`."""

    watermark_us: int
    arrivals: int
    """Poses stored in this session so far."""
    overflow: int
    """Oldest poses given up for room."""
    outcomes: tuple[Stored, ...]


@dataclass(frozen=True)
class Claimed:
    """The session as the store holds it. When its frames arrived is not kept."""

    watermark_us: int
    sets: int
    arrivals: int
    frames: tuple[Frame, ...]
    last_arrivals_us: dict[str, int]
    """When something of each camera was last stored."""


def arrivals_channel(session_id: str) -> str:
    """Channel: poses stored by a replica that does not hold the session."""
    return keys.session(session_id, "sync", "arrivals")


def status_key(session_id: str) -> str:
    return keys.session(session_id, "sync", "status")


def lease_key(session_id: str) -> str:
    return keys.session(session_id, "sync", "lease")


def parse_arrival(message: bytes) -> tuple[int, Frame]:
    """Number and frame of a message on the arrivals channel."""
    number, time_us, arrival_us, length, rest = message.split(b"|", 4)
    split = int(length)
    member = rest[:split].decode()
    return int(number), from_member(member, int(time_us), int(arrival_us), rest[split:])


class SyncStore:
    """The scripts, bound to one Redis."""

    def __init__(self, redis: RedisClient, *, most_frames: int, keep_bytes: int, life_s: int) -> None:
        self._redis = redis
        self._most_frames = most_frames
        self._keep_bytes = keep_bytes
        self._life_s = life_s
        self._ingest, self._commit, self._claim = (
            redis.register_script((SCRIPTS / f"{name}.lua").read_text())
            for name in ("ingest", "commit", "claim")
        )

    async def ingest(self, session_id: str, replica_id: str, frames: Sequence[Frame]) -> Ingested:
        """Store frames in one step."""
        arguments: list[Any] = [
            replica_id, arrivals_channel(session_id), self._most_frames, self._life_s
        ]  # fmt: skip
        for frame in frames:
            arguments += (
                frame.member, frame.time_us, frame.camera_id, frame.epoch, frame.sequence, frame.arrival_us,
                frame.payload,
            )  # fmt: skip
        waiting, poses, meta = self._keys(session_id)
        watermark, arrivals, overflow, *codes = await self._ingest(
            keys=[waiting, poses, meta, lease_key(session_id), keys.session(session_id, "sync", "drops")],
            args=arguments,
        )
        return Ingested(int(watermark), arrivals, overflow, tuple(map(Stored, codes)))

    async def claim(self, session_id: str, fence: int, watermark_us: int, sets: int) -> Claimed:
        """Take the session over under `fence`. Raises Fenced when somebody with a larger fence has it."""
        waiting, poses, meta = self._keys(session_id)
        flat = await self._claim(keys=[waiting, poses, meta], args=[fence, watermark_us, sets, self._life_s])
        if not flat:
            raise Fenced(f"session {session_id!r} belongs to another replica now")
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        frames = await self._load(waiting, poses)
        arrivals = {
            name[2:].decode(): int(value.rpartition(b":")[2])
            for name, value in fields.items()
            if name.startswith(b"l:")
        }
        return Claimed(int(fields[b"w"]), int(fields[b"s"]), int(fields.get(b"n", 0)), frames, arrivals)

    async def load(self, session_id: str) -> tuple[Frame, ...]:
        """The frames that wait."""
        waiting, poses, _ = self._keys(session_id)
        return await self._load(waiting, poses)

    async def _load(self, waiting: str, poses: str) -> tuple[Frame, ...]:
        scored = await self._redis.zrange(waiting, 0, -1, withscores=True)
        if not scored:
            return ()
        payloads = await self._redis.hmget(poses, [member for member, _ in scored])
        return tuple(
            from_member(member.decode(), int(score), 0, payload)
            for (member, score), payload in zip(scored, payloads, strict=True)
            if payload is not None
        )

    async def commit(
        self,
        session_id: str,
        fence: int,
        watermarks_us: tuple[int, int],
        sets_before: int,
        sets: Sequence[bytes],
        members: Sequence[Frame],
        forget: Sequence[str] = (),
    ) -> str:
        """Emit `sets` made of `members`; the watermark goes from the first to the second of `watermarks_us`.

        `forget`: members that came too late to be in any set. Returns the position of the last set.
        Raises Fenced: another replica took over. Raises Moved: the store is not as expected; claim it again.
        """
        keep = max(LEAST_SETS, self._keep_bytes // max(map(len, sets), default=1))
        arguments: list[Any] = [
            fence, *watermarks_us, sets_before, keep, self._life_s, len(sets), len(members), *sets
        ]  # fmt: skip
        for frame in members:
            arguments += (frame.member, frame.camera_id, f"{frame.epoch}:{frame.sequence}")
        arguments += forget
        done, word = await self._commit(
            keys=[*self._keys(session_id), keys.synced_sets(session_id)], args=arguments
        )
        if done:
            return str(word.decode())
        if word == b"fenced":
            raise Fenced(f"session {session_id!r} belongs to another replica now")
        raise Moved(f"the store of session {session_id!r} is not as this replica left it ({word.decode()})")

    async def size(self, session_id: str) -> int:
        """Bytes the session uses in Redis."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in (*self._keys(session_id), keys.synced_sets(session_id)):
                pipe.memory_usage(key, samples=16)
            return sum(size or 0 for size in await pipe.execute())

    async def tell(self, session_id: str, status: bytes, active_us: int | None) -> None:
        """Keep the status for other replicas, and list the session as active at `active_us`."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(status_key(session_id), status, ex=STATUS_LIFE_S)
            if active_us is not None:
                pipe.zadd(SESSIONS, {session_id: active_us})
                pipe.zremrangebyscore(SESSIONS, "-inf", active_us - LISTED_US)
            await pipe.execute()

    async def told(self, session_id: str) -> bytes | None:
        """The status the session's holder wrote last."""
        status: bytes | None = await self._redis.get(status_key(session_id))
        return status

    async def exists(self, session_id: str) -> bool:
        """Whether poses of the session were stored."""
        return bool(await self._redis.exists(self._keys(session_id)[2]))

    async def active(self, now_us: int) -> list[str]:
        """Sessions that had a pose within the last minute, sorted."""
        names = await self._redis.zrangebyscore(SESSIONS, now_us - LISTED_US, "+inf")
        return sorted(name.decode() for name in names)

    def _keys(self, session_id: str) -> tuple[str, str, str]:
        return (
            keys.session(session_id, "sync", "waiting"),
            keys.session(session_id, "sync", "poses"),
            keys.session(session_id, "sync", "meta"),
        )
