"""Asks pose for the person's outlines where a session compares them, and only there: they cost inference."""

from collections.abc import Collection

from services.mesh.cameras import CameraRegister

RENEW_S = 2.0
LASTS_S = 20.0
"""A camera is asked for this long after it was last of use: who turns round for a moment costs no change of trackers."""


class Silhouettes:
    """The cameras that one session asks. Whoever takes the session over asks anew; of a dead one the wishes run out."""

    def __init__(self, register: CameraRegister) -> None:
        self._register = register
        self._of_use_s: dict[str, float] = {}
        self._asked_s: dict[str, float] = {}

    async def ask(self, of_use: Collection[str], now_s: float) -> None:
        """Go on asking those of use, now or lately; to be called more often than RENEW_S."""
        self._of_use_s |= dict.fromkeys(of_use, now_s)
        for camera_id, last_s in list(self._of_use_s.items()):
            if now_s - last_s > LASTS_S:
                del self._of_use_s[camera_id]
                self._asked_s.pop(camera_id, None)
            elif now_s - self._asked_s.get(camera_id, float("-inf")) >= RENEW_S:
                await self._register.want_silhouettes(camera_id)
                self._asked_s[camera_id] = now_s

    async def stop(self) -> None:
        """Ask nobody any more."""
        for camera_id in self._of_use_s:
            await self._register.spare_silhouettes(camera_id)
        self._of_use_s.clear()
        self._asked_s.clear()
