"""A video of right, or of wrong, repetitions that a reference learns from."""

from collections.abc import Mapping
from typing import Any

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.references import Build
from services.gateway.errors import BadUpload
from services.gateway.shaping import references
from services.gateway.uploads.building import progress
from services.gateway.uploads.job import JobKind
from services.gateway.uploads.records import JobRecords
from services.gateway.upstream import Upstream

LABELS = {"true": True, "false": False}


class LabelledVideo(JobKind[Build]):
    """`CalibrateReference` of scoring, for one reference; its jobs are builds, since a new version comes of it."""

    fields = ("correct", "person")

    def __init__(self, upstream: Upstream, records: JobRecords[Build], reference_id: str) -> None:
        self.records = records
        self._upstream = upstream
        self._reference_id = reference_id

    def files(self, _fields: Mapping[str, str]) -> tuple[str, ...]:
        return ("file",)

    def begin(self, job_id: str) -> Build:
        return Build(build_id=job_id)

    def call(self) -> Any:
        return self._upstream.scoring.CalibrateReference()

    def config(
        self, fields: Mapping[str, str], file_name: str, size: int
    ) -> scoring.CalibrateReferenceRequest:
        correct = LABELS.get(fields.get("correct", "").lower())
        if correct is None:
            raise BadUpload(
                "field 'correct' must be 'true' (all its repetitions are right) or 'false' (all are wrong)"
            )
        config = scoring.CalibrationConfig(
            reference_id=self._reference_id,
            correct=correct,
            person=fields.get("person", ""),
            file_name=file_name,
            size_bytes=size,
        )
        return scoring.CalibrateReferenceRequest(config=config)

    def chunk(self, _file: str, data: bytes) -> scoring.CalibrateReferenceRequest:
        return scoring.CalibrateReferenceRequest(chunk=data)

    async def heard(self, job: Build, answer: scoring.CalibrateReferenceResponse) -> Build:
        if answer.WhichOneof("payload") == "reference":
            return job.model_copy(update={"reference": references.reference(answer.reference)})
        return job.model_copy(update=progress(answer.progress))
