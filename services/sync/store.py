"""A session's join in Redis: poses that wait in a sorted set by server time, sets that left in a stream.

Keys of one session share a hash slot (`komi:{id}:sync:…`):

    waiting   sorted set   member camera|epoch|sequence, score server time in microseconds
    poses     hash         member -> PoseFrame
    meta      hash         w watermark, s sets emitted, f fence, n poses announced, e:<camera> last emitted
                           epoch:sequence, l:<camera> when something of it last arrived
    out       stream       field set: SyncedSet
    lease     hash         services.mesh.lease
    status    string       GetSessionStatusResponse, written by the holder every second

Every change is one script (services/sync/scripts), so that a process or a Redis that dies leaves a whole state. A replica
that does not hold the session stores (`ingest`) and announces; the holder stores and emits in one call (`commit`), so
that a pose which leaves with the last one of its set is sent to Redis once, within the set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.mesh import keys
from services.mesh.redis import RedisClient
from services.sync.errors import Fenced, Moved
from services.sync.frames import Frame, from_member
from services.sync.pipeline import Pipeline, Script

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
    overflow: int
    """Oldest poses given up for room."""
    outcomes: tuple[Stored, ...]


@dataclass(frozen=True)
class Turn:
    """What the holder changes in one step. Times are microseconds."""

    watermarks_us: tuple[int, int]
    """Before and after."""
    sets_before: int
    sets: Sequence[bytes]
    leaving: Sequence[Frame]
    """Frames that were stored and are used up by `sets`."""
    passing: Sequence[Frame]
    """New frames that are used up by `sets`."""
    staying: Sequence[Frame]
    """New frames that wait."""
    forget: Sequence[str]
    """Members that came too late to be in any set."""


@dataclass(frozen=True)
class Committed:
    """Answer of `commit`."""

    renewed: bool
    """The lease was still held, and is for its whole life again."""
    announced: int
    """Poses that other replicas stored so far."""
    overflow: int
    """Oldest poses given up for room."""
    doubles: frozenset[str]
    """Members among the new ones that another replica had stored before."""


@dataclass(frozen=True)
class Claimed:
    """The session as the store holds it. When its frames arrived is not kept."""

    watermark_us: int
    sets: int
    announced: int
    frames: tuple[Frame, ...]
    emitted: dict[str, tuple[int, int]]
    """Epoch and sequence of the frame of each camera that left last."""
    last_arrivals_us: dict[str, int]
    """When something of each camera last arrived."""


def arrivals_channel(session_id: str) -> str:
    """Channel: poses stored by a replica that does not hold the session."""
    return keys.session(session_id, "sync", "arrivals")


def status_key(session_id: str) -> str:
    return keys.session(session_id, "sync", "status")


def lease_key(session_id: str) -> str:
    return keys.session(session_id, "sync", "lease")


@lru_cache(maxsize=256)
def _join_keys(session_id: str) -> tuple[str, str, str]:
    """Waiting, poses, meta."""
    waiting, poses, meta = (keys.session(session_id, "sync", part) for part in ("waiting", "poses", "meta"))
    return waiting, poses, meta


@lru_cache(maxsize=256)
def _turn_keys(session_id: str) -> tuple[str, ...]:
    """What a turn changes."""
    return *_join_keys(session_id), keys.synced_sets(session_id), lease_key(session_id)


def parse_arrival(message: bytes) -> tuple[int, Frame]:
    """Number and frame of a message on the arrivals channel."""
    number, time_us, arrival_us, length, rest = message.split(b"|", 4)
    split = int(length)
    member = rest[:split].decode()
    return int(number), from_member(member, int(time_us), int(arrival_us), rest[split:])


class SyncStore:
    """The scripts, bound to one Redis. Call `aclose` when done."""

    def __init__(
        self, redis: RedisClient, *, most_frames: int, keep_bytes: int, life_s: int, lease_s: float
    ) -> None:
        self._redis = redis
        self._most_frames = most_frames
        self._keep_bytes = keep_bytes
        self._life_s = life_s
        self._lease_ms = round(lease_s * 1000)
        self._pipeline = Pipeline(redis)
        self._ingest, self._commit, self._claim = (
            Script((SCRIPTS / f"{name}.lua").read_text()) for name in ("ingest", "commit", "claim")
        )

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._pipeline.aclose()

    async def ingest(self, session_id: str, frames: Sequence[Frame]) -> Ingested:
        """Store frames in one step, and announce them to the session's holder."""
        arguments: list[Any] = [arrivals_channel(session_id), self._most_frames, self._life_s]
        for frame in frames:
            arguments += (
                frame.member, frame.time_us, frame.camera_id, frame.epoch, frame.sequence, frame.arrival_us,
                frame.payload,
            )  # fmt: skip
        watermark, overflow, *codes = await self._pipeline.run(
            self._ingest, _join_keys(session_id), arguments
        )
        return Ingested(int(watermark), overflow, tuple(map(Stored, codes)))

    async def claim(self, session_id: str, fence: int, watermark_us: int, sets: int) -> Claimed:
        """Take the session over under `fence`. Raises Fenced when somebody with a larger fence has it."""
        flat = await self._pipeline.run(
            self._claim, _join_keys(session_id), [fence, watermark_us, sets, self._life_s]
        )
        if not flat:
            raise Fenced(f"session {session_id!r} belongs to another replica now")
        fields = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
        emitted, arrivals = {}, {}
        for name, value in fields.items():
            if name.startswith("e:"):
                epoch, _, sequence = value.partition(":")
                emitted[name[2:]] = (int(epoch), int(sequence))
            elif name.startswith("l:"):
                arrivals[name[2:]] = int(value)
        return Claimed(
            watermark_us=int(fields["w"]),
            sets=int(fields["s"]),
            announced=int(fields.get("n", 0)),
            frames=await self._load(session_id),
            emitted=emitted,
            last_arrivals_us=arrivals,
        )

    async def _load(self, session_id: str) -> tuple[Frame, ...]:
        waiting, poses, _ = _join_keys(session_id)
        scored = await self._redis.zrange(waiting, 0, -1, withscores=True)
        if not scored:
            return ()
        payloads = await self._redis.hmget(poses, [member for member, _ in scored])
        return tuple(
            from_member(member.decode(), int(score), 0, payload)
            for (member, score), payload in zip(scored, payloads, strict=True)
            if payload is not None
        )

    async def commit(self, session_id: str, fence: int, turn: Turn) -> Committed:
        """Do all of a turn or nothing, and renew the lease.

        Raises Fenced: another replica took over. Raises Moved: the store is not as expected; claim it again.
        """
        (before_us, after_us), staying = turn.watermarks_us, turn.staying
        new = [*turn.passing, *staying]
        keep = max(LEAST_SETS, self._keep_bytes // max(map(len, turn.sets), default=1))
        arguments: list[Any] = [
            fence, before_us, turn.sets_before, keep, self._life_s, self._most_frames,
            self._lease_ms, len(turn.sets), len(turn.forget), len(turn.leaving), len(turn.passing), len(staying),
            *turn.sets, *turn.forget, *(frame.member for frame in (*turn.leaving, *new)),
        ]  # fmt: skip
        for frame in staying:
            arguments += (frame.time_us, frame.member)
        for frame in staying:
            arguments += (frame.member, frame.payload)
        fields: dict[str, Any] = {"f": fence, "w": after_us, "s": turn.sets_before + len(turn.sets)}
        for frame in sorted((*turn.leaving, *turn.passing)):
            fields[f"e:{frame.camera_id}"] = f"{frame.epoch}:{frame.sequence}"
        for frame in new:
            fields[f"l:{frame.camera_id}"] = frame.arrival_us
        for name, value in fields.items():
            arguments += (name, value)
        done, word, *rest = await self._pipeline.run(self._commit, _turn_keys(session_id), arguments)
        if done:
            announced, overflow, *doubles = rest
            return Committed(
                bool(word),
                announced,
                overflow,
                frozenset(frame.member for frame, double in zip(new, doubles, strict=True) if double),
            )
        if word == b"fenced":
            raise Fenced(f"session {session_id!r} belongs to another replica now")
        raise Moved(f"the store of session {session_id!r} is not as this replica left it ({word.decode()})")

    async def size(self, session_id: str) -> int:
        """Bytes the session uses in Redis."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in (*_join_keys(session_id), keys.synced_sets(session_id)):
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
        return bool(await self._redis.exists(_join_keys(session_id)[2]))

    async def active(self, now_us: int) -> list[str]:
        """Sessions that had a pose within the last minute, sorted."""
        names = await self._redis.zrangebyscore(SESSIONS, now_us - LISTED_US, "+inf")
        return sorted(name.decode() for name in names)
