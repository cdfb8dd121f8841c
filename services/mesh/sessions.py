"""What each session is to do: which cameras, which reference, which mode. Held in Redis, read by every service."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from services.mesh import keys
from services.mesh.errors import InvalidInput, NotFound
from services.mesh.redis import RedisClient

MOST_CAMERAS = 8


class Mode(StrEnum):
    """Who sets the pace."""

    USER = "user"
    VIDEO = "video"


class SessionState(StrEnum):
    """Whether the session still takes poses."""

    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True)
class SessionConfig:
    """One session.

    `cameras` empty means every camera that names this session in its stream. `resample` None means: on for more than
    two cameras. Times are microseconds since the epoch, server clock.
    """

    session_id: str
    cameras: tuple[str, ...] = ()
    reference_id: str = ""
    reference_version: int = 0
    mode: Mode = Mode.USER
    resample: bool | None = None
    state: SessionState = SessionState.OPEN
    created_us: int = 0
    ended_us: int = 0
    calibration_toml: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "SessionConfig":
        raw = json.loads(text)
        raw["cameras"] = tuple(raw["cameras"])
        raw["mode"] = Mode(raw["mode"])
        raw["state"] = SessionState(raw["state"])
        return cls(**raw)


def check_name(name: str, what: str) -> str:
    """`name` if it may name a camera or session: 1 to 64 characters, none of them a control character.

    Raises InvalidInput.
    """
    if not 1 <= len(name) <= 64 or not name.isprintable() or name.strip() != name:
        raise InvalidInput(
            f"{what} {name[:64]!r} is no valid name: use 1 to 64 printable characters, no space at either end",
            reason="BAD_NAME",
        )
    return name


class SessionStore:
    """Sessions in Redis: a JSON document each, their ids in one set. Every change is published."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def get(self, session_id: str) -> SessionConfig:
        """Raises NotFound. "live" is always there."""
        text = await self._redis.hget(keys.session_config(session_id), "config")
        if text is not None:
            return SessionConfig.from_json(text)
        if session_id == keys.LIVE_SESSION:
            return SessionConfig(session_id)
        raise NotFound(
            f"no session {session_id!r}: create one with POST /api/v1/sessions", reason="SESSION_NOT_FOUND"
        )

    async def put(self, config: SessionConfig) -> None:
        """Store and publish; claims the cameras it names and lets go of those it no longer names."""
        try:
            before = set((await self.get(config.session_id)).cameras)
        except NotFound:
            before = set()
        now = set(config.cameras) if config.state is SessionState.OPEN else set()
        name = config.session_id.encode()
        for camera_id in sorted(before - now):
            # Only our own claim may be lifted: another session may have taken the camera since.
            if await self._redis.get(keys.camera_session(camera_id)) == name:
                await self._redis.delete(keys.camera_session(camera_id))
        for camera_id in sorted(now):
            await self._redis.set(keys.camera_session(camera_id), name)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.sadd(keys.SESSIONS, config.session_id)
            pipe.hset(keys.session_config(config.session_id), "config", config.to_json())
            pipe.publish(keys.session_changed(config.session_id), config.state.value)
            await pipe.execute()

    async def delete(self, session_id: str) -> None:
        """Forget a session's configuration; its recorded data ends by its own lifetime."""
        config = await self.get(session_id)
        await self.put(replace(config, state=SessionState.ENDED))
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.srem(keys.SESSIONS, session_id)
            pipe.delete(keys.session_config(session_id))
            await pipe.execute()

    async def list(self) -> list[SessionConfig]:
        """All sessions, newest first, "live" last."""
        names = {name.decode() for name in await self._redis.smembers(keys.SESSIONS)} | {keys.LIVE_SESSION}
        found = []
        for name in names:
            try:
                found.append(await self.get(name))
            except NotFound:
                continue
        return sorted(found, key=lambda session: (-session.created_us, session.session_id))

    @asynccontextmanager
    async def changes(self, session_id: str) -> AsyncIterator[AsyncIterator[SessionConfig]]:
        """An iterator over the session's configuration: as it is now, then at every change."""
        async with self._redis.pubsub() as channel:
            await channel.subscribe(keys.session_changed(session_id))

            async def follow() -> AsyncIterator[SessionConfig]:
                yield await self.get(session_id)
                while True:
                    message = await channel.get_message(ignore_subscribe_messages=True, timeout=5.0)
                    if message is not None:
                        yield await self.get(session_id)

            yield follow()
