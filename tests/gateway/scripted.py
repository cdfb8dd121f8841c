"""A scoring that follows a script, behind a real gateway: for what the real one cannot be made to do at will."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from komi.scoring.v1 import scoring_service_pb2 as scoring
from komi.scoring.v1 import scoring_service_pb2_grpc
from services.mesh.errors import InvalidInput
from services.mesh.status import abort
from tests.gateway.door import Door

BOUNDARY = "xYzZY"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class Scoring(scoring_service_pb2_grpc.ScoringServiceServicer):
    """Takes uploads as scoring does, and waits where the test wants it to."""

    def __init__(self) -> None:
        self.config: scoring.ReferenceConfig | None = None
        self.received = 0
        self.refuse_after: int | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.cancelled = asyncio.Event()

    async def BuildReference(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        try:
            async for request in requests:
                if request.WhichOneof("payload") == "config":
                    self.config = request.config
                    continue
                self.received += len(request.chunk)
                if self.refuse_after is not None and self.received >= self.refuse_after:
                    await abort(context, InvalidInput("this is no video", reason="NO_VIDEO"))
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
        return scoring.GetReferenceResponse(reference=scoring.Reference(reference_id=request.reference_id))

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
