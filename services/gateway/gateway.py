"""Everything the routes work with, started and ended together."""

import asyncio
import secrets
import uuid
from functools import partial

import structlog

from services.gateway.config import GatewaySettings
from services.gateway.documents.comparisons import Compare
from services.gateway.documents.references import Build
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.reader import StreamReader
from services.gateway.images import ImageDesk
from services.gateway.notices import Notices
from services.gateway.status import StatusDesk
from services.gateway.uploads.building import ReferenceBuild
from services.gateway.uploads.comparing import VideoComparison
from services.gateway.uploads.desk import UploadDesk
from services.gateway.uploads.records import JobRecords
from services.gateway.upstream import Upstream
from services.mesh import memory
from services.mesh.cameras import CameraRegister
from services.mesh.readiness import Readiness
from services.mesh.redis import connect
from services.mesh.server_clock import ServerClock
from services.mesh.sessions import SessionStore
from services.mesh.tasks import Tasks
from services.mesh.tokens import Tokens

log = structlog.get_logger()

READINESS_PERIOD_S = 0.25
"""Between two looks at whether the service is ready …"""
READY_PERIOD_S = 2.0
"""… and once it is: idle machines are to sleep."""


class Gateway:
    """One gateway. It holds no state that matters: all of it is in Redis or with the neighbours."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.tokens = (
            Tokens(settings.api_token.get_secret_value() or secrets.token_urlsafe(24))
            if settings.asks_for_token
            else None
        )
        """None: no token is asked for."""
        self.replica_id = f"gateway-{uuid.uuid4().hex[:8]}"
        self.redis = connect(settings.redis_url, connections=64)
        self.tasks = Tasks()
        self.clock = ServerClock(self.redis)
        self.upstream = Upstream(settings)
        self.sessions = SessionStore(self.redis)
        self.cameras = CameraRegister(self.redis)
        self.notices = Notices(self.redis)
        self.images = ImageDesk(self.redis, self.notices, self.clock, self.tasks)
        self.status = StatusDesk(self.sessions, self.cameras, self.upstream, self.clock)
        self.reader = StreamReader(self.redis, self.clock)
        self.hub = Hub(self.reader, self.notices, self.status, self.cameras, self.tasks)
        self.uploads = UploadDesk(settings, self.tasks)
        self.builds = ReferenceBuild(
            self.upstream, JobRecords(self.redis, self.notices, Build, "build", "b-")
        )
        self.comparisons = VideoComparison(
            self.upstream, JobRecords(self.redis, self.notices, Compare, "comparison", "c-")
        )
        self.viewers = 0
        self.readiness = Readiness()
        self.readiness.add("redis", partial(self.clock.redis_check, settings.redis_url))
        self.readiness.add("clock", self.clock.check)
        self.readiness.add("neighbours", self.upstream.check)

    async def start(self) -> None:
        """Begin the background work."""
        self.tasks.start("clock", self.clock.run)
        self.tasks.start("streams", self.reader.run)
        self.tasks.start("notices", self.notices.run)
        self.tasks.start("neighbours", self.upstream.run)
        self.tasks.start("readiness", self._watch_readiness)
        self.tasks.start("memory", memory.keep_giving_back)

    async def close(self) -> None:
        """End everything."""
        self.drain()
        await self.tasks.close()
        await self.upstream.close()
        await self.redis.aclose()

    def drain(self) -> None:
        """Not ready from now on; endless answers end."""
        self.readiness.drain()
        self.images.drain()
        self.builds.records.drain()
        self.comparisons.records.drain()

    async def _watch_readiness(self) -> None:
        while True:
            if await self.readiness.refresh():
                if self.readiness.ready:
                    log.info("ready", replica_id=self.replica_id)
                else:
                    log.warning("waiting", waiting_for=self.readiness.waiting_for)
            await asyncio.sleep(READY_PERIOD_S if self.readiness.ready else READINESS_PERIOD_S)
