"""How far each job is: kept in Redis, so that any gateway can tell, and told as lost when its gateway is gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.gateway.documents.jobs import Job, JobState
from services.gateway.errors import JobCancelled, JobNotFound
from services.gateway.notices import Notices
from services.gateway.problems import problem_of
from services.mesh import keys
from services.mesh.errors import Unavailable
from services.mesh.redis import RedisClient

KEEP_S = 3600
RENEW_S = 1.0
"""A running job is renewed this often, and notices then that it was cancelled."""
LOST_S = 15
"""A running job that was not renewed for this long has lost its gateway."""

# A job whose record somebody has deleted is cancelled: only its first word may make one. Answers whether it goes on.
_PUT = """
if ARGV[1] == '0' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'renewed_s', redis.call('TIME')[1], 'state', ARGV[2], 'document', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

Document = TypeVar("Document", bound=Job)


@dataclass(frozen=True)
class Kept:
    """A job on record."""

    state: JobState
    json: bytes
    """Its document; a comparison's may have megabytes, so it is not taken apart to be handed on."""


class JobRecords(Generic[Document]):
    """Reads and writes the jobs of one kind, whose ids begin with `prefix`."""

    def __init__(
        self, redis: RedisClient, notices: Notices, kind: type[Document], what: str, prefix: str
    ) -> None:
        self.what = what
        self.prefix = prefix
        self._redis = redis
        self._notices = notices
        self._kind = kind
        self._draining = False
        self._following: set[asyncio.Event] = set()
        self._put = redis.register_script(_PUT)

    def drain(self) -> None:
        """End every `follow`."""
        self._draining = True
        for changed in self._following:
            changed.set()

    async def put(self, job: Document, *, first: bool) -> None:
        """Store and tell those who wait. Raises JobCancelled if it is not the first word on a job that is gone."""
        document = await asyncio.to_thread(job.model_dump_json) if job.has_result else job.model_dump_json()
        kept = await self._put(keys=[keys.job(job.job_id)], args=[int(first), job.state, document, KEEP_S])
        if not kept:
            raise JobCancelled(self.what)
        await self._redis.publish(keys.job_changed(job.job_id), b"")

    async def delete(self, job_id: str) -> None:
        """Forget a job; one on its way ends, at whichever gateway it is. Raises JobNotFound."""
        if not job_id.startswith(self.prefix) or not await self._redis.delete(keys.job(job_id)):
            raise JobNotFound(self.what, job_id)
        await self._redis.publish(keys.job_changed(job_id), b"")

    async def get(self, job_id: str) -> Kept:
        """Raises JobNotFound."""
        if not job_id.startswith(self.prefix):
            raise JobNotFound(self.what, job_id)
        renewed_s, state, document = await self._redis.hmget(
            keys.job(job_id), "renewed_s", "state", "document"
        )
        if document is None:
            raise JobNotFound(self.what, job_id)
        seconds, _ = await self._redis.time()
        if state == b"running" and seconds - int(renewed_s) > LOST_S:
            lost = Unavailable(
                f"the gateway that took the upload is gone, and the {self.what} with it; upload it again",
                reason="GATEWAY_LOST",
            )
            job = self._kind.model_validate_json(document)
            failed = job.model_copy(update={"state": "failed", "problem": problem_of(lost)})
            return Kept("failed", failed.model_dump_json().encode())
        return Kept(state.decode(), document)

    async def follow(self, job_id: str) -> AsyncIterator[Kept]:
        """The job now and at every change, until it is over or cancelled. Raises JobNotFound if it is none to begin with."""
        changed = asyncio.Event()
        self._following.add(changed)
        try:
            async with self._notices.listening(keys.job_changed(job_id), changed.set):
                told: Kept | None = None
                while not self._draining:
                    try:
                        kept = await self.get(job_id)
                    except JobNotFound:
                        if told is None:
                            raise
                        return
                    if kept != told:
                        told = kept
                        yield kept
                    if kept.state != "running":
                        return
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(RENEW_S):
                            await changed.wait()
                    changed.clear()
        finally:
            self._following.discard(changed)
