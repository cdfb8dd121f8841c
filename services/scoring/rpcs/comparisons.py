"""Comparing two videos."""

from collections.abc import AsyncIterator

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.errors import Unavailable
from services.scoring.rpcs.parts import Context, Rpcs


class ComparisonRpcs(Rpcs):
    """CompareVideos."""

    async def CompareVideos(
        self, request_iterator: AsyncIterator[pb.CompareVideosRequest], context: Context
    ) -> AsyncIterator[pb.CompareVideosResponse]:
        for progress in _not_yet():
            yield pb.CompareVideosResponse(progress=progress)


def _not_yet() -> list[pb.CompareProgress]:
    raise Unavailable("videos cannot be compared yet", reason="NOT_YET")
