"""Who is connected: the register of cameras in Redis, written by pose, read by whoever wants to know."""

from dataclasses import dataclass

from komi.pose.v1 import pose_service_pb2
from services.mesh import keys
from services.mesh.errors import AlreadyExists
from services.mesh.redis import RedisClient

ALIVE_S = 5
"""A camera that was not reported for this long is gone, seconds."""
SILHOUETTES_S = 5
"""How long one wish for outlines keeps them coming, seconds; renew well before."""


@dataclass(frozen=True)
class Heartbeat:
    """What a camera's stream learns when it reports."""

    session_id: str | None
    """Session that claims the camera; None: nobody does."""
    watched: bool
    """Somebody looks at its images."""
    silhouettes: bool
    """Somebody wants the person's outlines."""
    owned: bool
    """The name still belongs to this instance; if not, the rest says nothing."""


# Take the name if it is free or ours; the short life lets a dead owner's name go by itself.
_CLAIM = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
# The same, and if it is ours all that a report does with the camera's own keys.
_REPORT = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return {0, false, 0, 0} end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[2])
return {1, redis.call('GET', KEYS[3]), redis.call('EXISTS', KEYS[4]), redis.call('EXISTS', KEYS[5])}
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) return 1 end
return 0
"""


class CameraRegister:
    """Names are owned by the instance that streams under them, for as long as it reports."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._claim = redis.register_script(_CLAIM)
        self._release = redis.register_script(_RELEASE)

    async def claim(self, camera_id: str, instance_id: str) -> None:
        """Own the name. Raises AlreadyExists while another instance streams under it."""
        if not await self._claim(keys=[keys.camera_owner(camera_id)], args=[instance_id, ALIVE_S]):
            raise AlreadyExists(
                f"camera {camera_id!r} is already streaming from another place: choose another name, or stop that one "
                f"(its name is free {ALIVE_S} s later)",
                reason="CAMERA_NAME_TAKEN",
                retry_after_s=ALIVE_S,
            )

    async def report(self, camera: pose_service_pb2.Camera, instance_id: str, now_us: int) -> Heartbeat:
        """Say that the camera is alive and how it does, unless its name is another's by now. One round trip."""
        camera_id = camera.camera_id
        own = (
            keys.camera_owner(camera_id),
            keys.camera_info(camera_id),
            keys.camera_session(camera_id),
            keys.camera_watch(camera_id),
            keys.camera_silhouettes(camera_id),
        )
        # As text: by its hash it would have to be known to Redis first.
        (owned, session_id, watched, silhouettes), _ = await self._redis.together(
            ("EVAL", _REPORT, len(own), *own, instance_id, ALIVE_S, camera.SerializeToString()),
            ("ZADD", keys.CAMERAS, now_us, camera_id),
        )
        return Heartbeat(
            session_id.decode() if session_id else None, bool(watched), bool(silhouettes), bool(owned)
        )

    async def want_silhouettes(self, camera_id: str) -> None:
        """Ask pose for the outlines of the person in this camera's frames for the next SILHOUETTES_S seconds."""
        await self._redis.set(keys.camera_silhouettes(camera_id), b"1", ex=SILHOUETTES_S)

    async def spare_silhouettes(self, camera_id: str) -> None:
        """Ask no longer."""
        await self._redis.delete(keys.camera_silhouettes(camera_id))

    async def forget(self, camera_id: str, instance_id: str) -> None:
        """The camera is gone, unless somebody else has its name by now."""
        own = [keys.camera_owner(camera_id), keys.camera_info(camera_id)]
        if await self._release(keys=own, args=[instance_id]):
            await self._redis.zrem(keys.CAMERAS, camera_id)

    async def get(self, camera_id: str) -> pose_service_pb2.Camera | None:
        """The camera, None when it is not connected."""
        raw = await self._redis.get(keys.camera_info(camera_id))
        return pose_service_pb2.Camera.FromString(raw) if raw is not None else None

    async def list(self) -> list[pose_service_pb2.Camera]:
        """The connected cameras, by name."""
        names = sorted(name.decode() for name in await self._redis.zrange(keys.CAMERAS, 0, -1))
        if not names:
            return []
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.get(keys.camera_info(name))
            found = await pipe.execute()
        return [pose_service_pb2.Camera.FromString(raw) for raw in found if raw is not None]

    async def prune(self, now_us: int) -> None:
        """Drop names that have not reported for a minute."""
        await self._redis.zremrangebyscore(keys.CAMERAS, "-inf", now_us - 60_000_000)
