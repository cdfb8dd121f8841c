"""A video that becomes a reference."""

from collections.abc import Mapping
from typing import Any

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.references import Build
from services.gateway.errors import BadUpload
from services.gateway.shaping import references
from services.gateway.uploads.job import JobKind
from services.gateway.uploads.records import JobRecords
from services.gateway.upstream import Upstream

MOST_NAME = 100
SILHOUETTES = {"": False, "false": False, "true": True}


class ReferenceBuild(JobKind[Build]):
    """`BuildReference` of scoring."""

    fields = ("name", "exercise", "reference_id", "silhouettes")

    def __init__(self, upstream: Upstream, records: JobRecords[Build]) -> None:
        self.records = records
        self._upstream = upstream

    def files(self, _fields: Mapping[str, str]) -> tuple[str, ...]:
        return ("file",)

    def begin(self, job_id: str) -> Build:
        return Build(build_id=job_id)

    def call(self) -> Any:
        return self._upstream.scoring.BuildReference()

    def config(self, fields: Mapping[str, str], file_name: str, size: int) -> scoring.BuildReferenceRequest:
        name = fields.get("name") or file_name.rpartition(".")[0] or file_name
        if not 1 <= len(name) <= MOST_NAME:
            raise BadUpload(f"field 'name' must have 1 to {MOST_NAME} characters")
        config = scoring.ReferenceConfig(
            name=name,
            exercise=fields.get("exercise", ""),
            reference_id=fields.get("reference_id", ""),
            file_name=file_name,
            size_bytes=size,
            silhouettes=wants_silhouettes(fields),
        )
        return scoring.BuildReferenceRequest(config=config)

    def chunk(self, _file: str, data: bytes) -> scoring.BuildReferenceRequest:
        return scoring.BuildReferenceRequest(chunk=data)

    async def heard(self, job: Build, answer: scoring.BuildReferenceResponse) -> Build:
        if answer.WhichOneof("payload") == "reference":
            return job.model_copy(update={"reference": references.reference(answer.reference)})
        return job.model_copy(update=progress(answer.progress))


def progress(told: scoring.BuildProgress) -> dict[str, object]:
    """What a job's record says of how far it is."""
    return {
        "stage": references.stage(told.stage),
        "fraction": round(told.fraction, 4),
        "frames_done": told.frames_done,
        "frames_total": told.frames_total or None,
    }


def wants_silhouettes(fields: Mapping[str, str]) -> bool:
    """Whether outlines of the person are asked for. Raises BadUpload."""
    wanted = SILHOUETTES.get(fields.get("silhouettes", "").lower())
    if wanted is None:
        raise BadUpload("field 'silhouettes' must be 'true' or 'false'")
    return wanted
