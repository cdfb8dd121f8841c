"""How far each build is: kept in Redis, so that any gateway can tell, and told as lost when its gateway is gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import orjson

from services.gateway.documents import Build
from services.gateway.errors import BuildNotFound
from services.gateway.notices import Notices
from services.gateway.problems import problem_of
from services.mesh import keys
from services.mesh.errors import Unavailable
from services.mesh.redis import RedisClient

KEEP_S = 3600
RENEW_S = 3.0
LOST_S = 15
"""A running build that was not renewed for this long has lost its gateway."""


class BuildRecords:
    """Reads and writes builds."""

    def __init__(self, redis: RedisClient, notices: Notices) -> None:
        self._redis = redis
        self._notices = notices
        self._draining = False
        self._following: set[asyncio.Event] = set()

    def drain(self) -> None:
        """End every `follow`."""
        self._draining = True
        for changed in self._following:
            changed.set()

    async def put(self, build: Build) -> None:
        """Store and tell those who wait."""
        key = keys.reference_build(build.build_id)
        seconds, _ = await self._redis.time()
        document = {"renewed_s": seconds, "build": build.model_dump(mode="json")}
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(key, orjson.dumps(document), ex=KEEP_S)
            pipe.publish(keys.reference_build_changed(build.build_id), b"")
            await pipe.execute()

    async def get(self, build_id: str) -> Build:
        """Raises BuildNotFound."""
        raw = await self._redis.get(keys.reference_build(build_id))
        if raw is None:
            raise BuildNotFound(build_id)
        document = orjson.loads(raw)
        build = Build.model_validate(document["build"])
        seconds, _ = await self._redis.time()
        if build.state == "running" and seconds - document["renewed_s"] > LOST_S:
            lost = Unavailable(
                "the gateway that took the video is gone, and the build with it; upload the video again",
                reason="GATEWAY_LOST",
            )
            return build.model_copy(update={"state": "failed", "problem": problem_of(lost)})
        return build

    async def follow(self, build_id: str) -> AsyncIterator[Build]:
        """The build now and at every change, until it is over. Raises BuildNotFound."""
        changed = asyncio.Event()
        self._following.add(changed)
        try:
            async with self._notices.listening(keys.reference_build_changed(build_id), changed.set):
                told: Build | None = None
                while not self._draining:
                    build = await self.get(build_id)
                    if build != told:
                        told = build
                        yield build
                    if build.state != "running":
                        return
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(RENEW_S):
                            await changed.wait()
                    changed.clear()
        finally:
            self._following.discard(changed)
