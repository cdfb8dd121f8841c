"""Two videos that are laid onto each other, or one and a reference."""

import asyncio
from collections.abc import Mapping
from typing import Any

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.comparisons import Compare
from services.gateway.shaping import comparisons
from services.gateway.uploads.building import progress, wants_silhouettes
from services.gateway.uploads.job import JobKind
from services.gateway.uploads.records import JobRecords
from services.gateway.upstream import Upstream


class VideoComparison(JobKind[Compare]):
    """`CompareVideos` of scoring."""

    fields = ("reference_id", "exercise", "silhouettes")

    def __init__(self, upstream: Upstream, records: JobRecords[Compare]) -> None:
        self.records = records
        self._upstream = upstream

    def files(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        return ("attempt",) if fields.get("reference_id") else ("sample", "attempt")

    def begin(self, job_id: str) -> Compare:
        return Compare(compare_id=job_id)

    def call(self) -> Any:
        return self._upstream.scoring.CompareVideos()

    def config(self, fields: Mapping[str, str], file_name: str, _size: int) -> scoring.CompareVideosRequest:
        # Of two files only the first is known by now; scoring calls the other one the attempt.
        reference_id = fields.get("reference_id", "")
        config = scoring.CompareConfig(
            reference_id=reference_id,
            exercise=fields.get("exercise", ""),
            silhouettes=wants_silhouettes(fields),
        )
        if reference_id:
            config.attempt_name = file_name
        else:
            config.sample_name = file_name
        return scoring.CompareVideosRequest(config=config)

    def chunk(self, file: str, data: bytes) -> scoring.CompareVideosRequest:
        if file == "sample":
            return scoring.CompareVideosRequest(sample_chunk=data)
        return scoring.CompareVideosRequest(attempt_chunk=data)

    async def heard(self, job: Compare, answer: scoring.CompareVideosResponse) -> Compare:
        if answer.WhichOneof("payload") == "comparison":
            # Of a long attempt this takes a while, which the viewers must not notice.
            shaped = await asyncio.to_thread(comparisons.comparison, answer.comparison)
            return job.model_copy(update={"comparison": shaped})
        told = answer.progress
        return job.model_copy(update={"video": comparisons.video(told.video), **progress(told.progress)})
