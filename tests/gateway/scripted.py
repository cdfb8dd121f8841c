"""A scoring that follows a script, behind a real gateway: for what the real one cannot be made to do at will."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from komi.scoring.v1 import scoring_service_pb2 as scoring
from komi.scoring.v1 import scoring_service_pb2_grpc
from services.mesh.errors import FailedPrecondition, InvalidInput, KomiError, NotFound
from services.mesh.status import abort
from services.mesh.times import to_timestamp
from tests.gateway.door import JPEG, Door

BOUNDARY = "xYzZY"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class Scoring(scoring_service_pb2_grpc.ScoringServiceServicer):
    """Takes uploads as scoring does, and waits where the test wants it to."""

    def __init__(self) -> None:
        self.config: scoring.ReferenceConfig | None = None
        self.received = 0
        self.refuse_after: int | None = None
        self.refusal: KomiError = InvalidInput("this is no video", reason="NO_VIDEO")
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.cancelled = asyncio.Event()
        self.active = 2
        self.imported = b""
        self.compared: scoring.CompareConfig | None = None
        self.files: dict[str, int] = {}

    async def BuildReference(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        try:
            async for request in requests:
                if request.WhichOneof("payload") == "config":
                    self.config = request.config
                    continue
                self.received += len(request.chunk)
                if self.refuse_after is not None and self.received >= self.refuse_after:
                    await abort(context, self.refusal)
            yield self._progress(0.5)
            await self.go_on.wait()
            yield self._progress(1.0)
            yield scoring.BuildReferenceResponse(
                reference=scoring.Reference(reference_id="r-1", name="Squat")
            )
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    async def GetReference(self, request: Any, context: Any) -> scoring.GetReferenceResponse:
        reference = scoring.Reference(reference_id=request.reference_id, name="스쿼트 / 1")
        return scoring.GetReferenceResponse(reference=reference)

    async def ListReferenceVersions(
        self, request: Any, context: Any
    ) -> scoring.ListReferenceVersionsResponse:
        versions = [
            scoring.Reference(reference_id=request.reference_id, version=number, active=number == self.active)
            for number in (2, 1)
        ]
        return scoring.ListReferenceVersionsResponse(references=versions)

    async def ActivateReference(self, request: Any, context: Any) -> scoring.ActivateReferenceResponse:
        if request.version > 2:
            await abort(context, NotFound("there is no such version", reason="REFERENCE_NOT_FOUND"))
        self.active = request.version
        return scoring.ActivateReferenceResponse(
            reference=scoring.Reference(
                reference_id=request.reference_id, version=request.version, active=True
            )
        )

    async def CalibrateReference(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            if request.WhichOneof("payload") == "config":
                self.lesson = request.config
                if request.config.reference_id == "r-hold":
                    await abort(context, FailedPrecondition("a held pose", reason="CALIBRATION_OF_HOLD"))
        reference = scoring.Reference(reference_id=self.lesson.reference_id, version=2)
        reference.calibration.CopyFrom(
            scoring.ReferenceCalibration(
                source=scoring.CALIBRATION_SOURCE_LABELLED, right=6, wrong=5, people=2
            )
        )
        yield scoring.CalibrateReferenceResponse(progress=self._progress(0.5).progress)
        yield scoring.CalibrateReferenceResponse(reference=reference)

    async def GetReferenceStrip(self, request: Any, context: Any) -> scoring.GetReferenceStripResponse:
        return scoring.GetReferenceStripResponse(jpeg=JPEG, frames=[31, 44, 57])

    async def ExportReference(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for piece in (b"KOMI", b"x" * (1 << 20), b"end"):
            yield scoring.ExportReferenceResponse(chunk=piece)

    async def ImportReference(
        self, requests: AsyncIterator[Any], context: Any
    ) -> scoring.ImportReferenceResponse:
        content = b""
        async for request in requests:
            content += request.chunk
            if not content.startswith(b"KOMI"):
                await abort(context, InvalidInput("this is no exported reference", reason="NO_EXPORT"))
        # The requests of a call that was cancelled may end like those of one that is through: the file says which it is.
        if content.endswith(b"end"):
            self.imported = content
        return scoring.ImportReferenceResponse(reference=scoring.Reference(reference_id="r-9"))

    async def CompareVideos(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        try:
            async for request in requests:
                which = request.WhichOneof("payload")
                if which == "config":
                    self.compared = request.config
                else:
                    self.files[which] = self.files.get(which, 0) + len(getattr(request, which))
            yield scoring.CompareVideosResponse(
                progress=scoring.CompareProgress(
                    video=scoring.COMPARED_VIDEO_ATTEMPT, progress=self._progress(0.5).progress
                )
            )
            await self.go_on.wait()
            yield scoring.CompareVideosResponse(
                comparison=scoring.Comparison(
                    attempt_frames=1,
                    score=84,
                    frames=[
                        scoring.ComparedFrame(
                            attempt_frame=0, sample_frame=3.5, landmarks=[501, -3, -32768, -32768]
                        )
                    ],
                    repetitions=[
                        scoring.Repetition(
                            number=1, start_time=to_timestamp(1_200_000), end_time=to_timestamp(4_100_000)
                        )
                    ],
                )
            )
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    async def ListReports(self, request: Any, context: Any) -> scoring.ListReportsResponse:
        numbers = (0,) if request.page_token else (2, 1)
        reports = [scoring.Report(report_id=f"p-{n}", session_id=request.session_id) for n in numbers]
        return scoring.ListReportsResponse(
            reports=reports[: request.page_size], next_page_token="" if request.page_token else "more"
        )

    async def GetReport(self, request: Any, context: Any) -> scoring.GetReportResponse:
        if request.report_id == "p-none":
            await abort(context, NotFound("there is no such report", reason="REPORT_NOT_FOUND"))
        report = scoring.Report(report_id=request.report_id or "p-newest", session_id=request.session_id)
        report.repetitions.add(number=1, score=84, range_of_motion=float("nan"))
        report.timeline.add(score=82, state=scoring.TRACKING_STATE_TRACKING).offset.FromSeconds(2)
        return scoring.GetReportResponse(report=report)

    async def DeleteReport(self, request: Any, context: Any) -> scoring.DeleteReportResponse:
        if request.report_id == "p-open":
            await abort(context, FailedPrecondition("its performance goes on", reason="REPORT_OPEN"))
        return scoring.DeleteReportResponse()

    async def ListExercises(self, request: Any, context: Any) -> scoring.ListExercisesResponse:
        squat = scoring.Exercise(exercise="squat", kind=scoring.REFERENCE_KIND_REPETITIONS)
        squat.name.ko, squat.name.en = "스쿼트", "Squat"
        return scoring.ListExercisesResponse(exercises=[squat])

    def _progress(self, fraction: float) -> scoring.BuildReferenceResponse:
        return scoring.BuildReferenceResponse(
            progress=scoring.BuildProgress(
                stage=scoring.BUILD_STAGE_DETECTING, fraction=fraction, frames_done=1, frames_total=2
            )
        )


class Rig:
    """A gateway in front of a scripted scoring."""

    def __init__(self, door: Door, scoring_: Scoring) -> None:
        self.door = door
        self.scoring = scoring_

    async def upload(self, content: bytes, **fields: str) -> httpx.Response:
        return await self.door.client.post(
            "/api/v1/references", data=fields, files={"file": ("squat.mp4", content, "video/mp4")}
        )

    async def send(self, body: bytes) -> httpx.Response:
        return await self.door.client.post(
            "/api/v1/references", content=body, headers={"content-type": CONTENT_TYPE}
        )
