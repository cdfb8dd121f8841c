"""The state of a session, put together from its settings, pose's register and what sync says."""

from komi.sync.v1 import sync_service_pb2
from services.gateway.documents.status import Status
from services.gateway.shaping import records
from services.gateway.upstream import Upstream
from services.mesh.cameras import CameraRegister
from services.mesh.errors import KomiError, NotFound
from services.mesh.server_clock import ServerClock
from services.mesh.sessions import SessionStore


class StatusDesk:
    """Answers what a session is doing now."""

    def __init__(
        self, sessions: SessionStore, cameras: CameraRegister, upstream: Upstream, clock: ServerClock
    ) -> None:
        self._sessions = sessions
        self._cameras = cameras
        self._upstream = upstream
        self._clock = clock

    async def of(self, session_id: str, viewers: int) -> Status:
        """Raises NotFound; what else cannot be reached is told in the status itself."""
        config = await self._sessions.get(session_id)
        problems = list(self._upstream.waiting_for.values())
        told = None
        if "sync" not in self._upstream.waiting_for:
            try:
                told = await self._upstream.ask(
                    "sync",
                    self._upstream.sync.GetSessionStatus,
                    sync_service_pb2.GetSessionStatusRequest(session_id=session_id),
                )
            except NotFound:
                pass  # no pose of this session has arrived yet
            except KomiError as error:
                problems.append(error.message)
        return records.status(
            config,
            await self._cameras.list(),
            told,
            viewers=viewers,
            server_us=self._clock.now_us() if self._clock.ready else None,
            problems=problems,
        )
