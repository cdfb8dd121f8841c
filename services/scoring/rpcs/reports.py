"""Reports of performances."""

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.errors import Unavailable
from services.scoring.rpcs.parts import Context, Rpcs


class ReportRpcs(Rpcs):
    """ListReports, GetReport, DeleteReport."""

    async def ListReports(self, request: pb.ListReportsRequest, context: Context) -> pb.ListReportsResponse:
        raise Unavailable("there are no reports yet", reason="NOT_YET")

    async def GetReport(self, request: pb.GetReportRequest, context: Context) -> pb.GetReportResponse:
        raise Unavailable("there are no reports yet", reason="NOT_YET")

    async def DeleteReport(
        self, request: pb.DeleteReportRequest, context: Context
    ) -> pb.DeleteReportResponse:
        raise Unavailable("there are no reports yet", reason="NOT_YET")
