"""The newest image of a camera, in Redis only while somebody looks."""

from dataclasses import dataclass

from services.mesh import keys
from services.mesh.redis import RedisClient

WATCH_S = 5
"""How long one look keeps the images coming, seconds; renew well before."""
KEEP_S = 10
"""How long the newest image stays when no newer one comes, seconds."""


@dataclass(frozen=True)
class CameraImage:
    """One JPEG with the pose found in it. Times are microseconds since the epoch, server clock."""

    jpeg: bytes
    sequence: int
    server_us: int
    width: int
    height: int
    pose_frame: bytes
    """A serialised komi.common.v1.PoseFrame."""


class Images:
    """Reads and writes newest images."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def look(self, camera_id: str) -> None:
        """Ask pose to write this camera's images for the next WATCH_S seconds."""
        await self._redis.set(keys.camera_watch(camera_id), b"1", ex=WATCH_S)

    async def put(self, camera_id: str, image: CameraImage) -> None:
        """Replace the newest image and tell those who wait."""
        key = keys.camera_image(camera_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(
                key,
                mapping={
                    "jpeg": image.jpeg,
                    "sequence": image.sequence,
                    "server_us": image.server_us,
                    "width": image.width,
                    "height": image.height,
                    "pose_frame": image.pose_frame,
                },
            )
            pipe.expire(key, KEEP_S)
            pipe.publish(keys.camera_image_new(camera_id), image.sequence)
            await pipe.execute()

    async def get(self, camera_id: str) -> CameraImage | None:
        """The newest image, None when there is none (yet)."""
        raw = await self._redis.hgetall(keys.camera_image(camera_id))
        if not raw:
            return None
        return CameraImage(
            jpeg=raw[b"jpeg"],
            sequence=int(raw[b"sequence"]),
            server_us=int(raw[b"server_us"]),
            width=int(raw[b"width"]),
            height=int(raw[b"height"]),
            pose_frame=raw[b"pose_frame"],
        )
