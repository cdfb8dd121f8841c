"""Reports of performances."""

import json

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.errors import InvalidInput
from services.scoring.reports import messages
from services.scoring.reports.store import Found, ReportStore
from services.scoring.rpcs.parts import Context, Parts, Rpcs, page_size


class ReportRpcs(Rpcs):
    """ListReports, GetReport, DeleteReport."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._reports = ReportStore(parts.redis)

    async def ListReports(self, request: pb.ListReportsRequest, context: Context) -> pb.ListReportsResponse:
        count = page_size(request.page_size)
        found = await self._reports.list(count + 1, request.session_id, _before(request.page_token))
        answer = pb.ListReportsResponse(reports=[_report(one, whole=False) for one in found[:count]])
        if len(found) > count:
            answer.next_page_token = _token(answer.reports[-1])
        return answer

    async def GetReport(self, request: pb.GetReportRequest, context: Context) -> pb.GetReportResponse:
        if request.WhichOneof("which") == "session_id":
            found = await self._reports.newest_of(request.session_id)
        else:
            found = await self._reports.get(request.report_id)
        return pb.GetReportResponse(report=_report(found, whole=True))

    async def DeleteReport(
        self, request: pb.DeleteReportRequest, context: Context
    ) -> pb.DeleteReportResponse:
        await self._reports.delete(request.report_id)
        return pb.DeleteReportResponse()


def _report(found: Found, *, whole: bool) -> pb.Report:
    return messages.report(found.kept, goes_on=found.goes_on, whole=whole)


def _token(last: pb.Report) -> str:
    return json.dumps([last.start_time.ToMicroseconds(), last.report_id])


def _before(token: str) -> tuple[int, str] | None:
    if not token:
        return None
    try:
        start_us, report_id = json.loads(token)
        return int(start_us), str(report_id)
    except (ValueError, TypeError) as error:
        raise InvalidInput("this is no page token of ListReports", reason="BAD_PAGE_TOKEN") from error
