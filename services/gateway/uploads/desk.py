"""Takes uploads in, a bounded number at a time, and sees each through to its end."""

import structlog

from services.gateway.config import GatewaySettings
from services.gateway.uploads.form import Form, Limits, Upload, refused_politely
from services.gateway.uploads.job import JobKind, RunningJob
from services.gateway.uploads.multipart import FileChunk, FileEnd, FileStart
from services.gateway.uploads.records import Document
from services.mesh.errors import Exhausted
from services.mesh.tasks import Tasks

log = structlog.get_logger()


class UploadDesk:
    """Shared by builds and comparisons: what they cost is the same, a video through pose."""

    def __init__(self, settings: GatewaySettings, tasks: Tasks) -> None:
        self.limits = Limits(settings.max_upload_bytes, settings.upload_idle_s, settings.max_upload_s)
        self._most = settings.max_builds
        self._tasks = tasks
        self._running = 0

    async def take(self, kind: JobKind[Document], upload: Upload) -> Document:
        """Take the upload in; returns when it is through, and the work on it goes on by itself.

        Raises BadUpload, TooLarge, WrongMediaType, Exhausted, and what scoring says of the files so far.
        """
        async with refused_politely(upload):
            form = Form(upload, self.limits, kind.fields, kind.files)
            if self._running >= self._most:
                raise Exhausted(
                    f"{self._running} uploads are worked on at this moment; try again when one is done",
                    reason="TOO_MANY_BUILDS",
                    retry_after_s=10.0,
                )
            self._running += 1
            job = RunningJob(kind)
            try:
                await self._pass_on(job, form, upload.size)
            except BaseException as error:
                self._running -= 1
                await job.give_up(error)
                raise
        self._tasks.start(kind.records.what, lambda: self._finish(job))
        return job.record

    async def _pass_on(self, job: RunningJob[Document], form: Form, size: int) -> None:
        async for event in form.events():
            match event:
                case FileStart(name, file_name):
                    await job.start(form.fields, name, file_name, size)
                case FileChunk(data):
                    await job.write(data)
                case FileEnd():
                    await job.flush()
        await job.uploaded()

    async def _finish(self, job: RunningJob[Document]) -> None:
        try:
            await job.finish()
        except Exception:
            # Nobody waits for this any more, and a second try would find the call gone.
            log.exception("the end of a job could not be recorded", job_id=job.record.job_id)
        finally:
            self._running -= 1
