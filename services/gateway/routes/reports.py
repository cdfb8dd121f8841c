"""Reports of performances."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.reports import Report, Reports
from services.gateway.gateway import Gateway
from services.gateway.routes.access import TheGateway, problems
from services.gateway.shaping import reports

router = APIRouter(prefix="/api/v1", tags=["reports"])

CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("/reports", summary="Reports, newest first", responses=problems(400, 422, 501, 503))
async def list_reports(
    gateway: TheGateway,
    session_id: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Reports:
    """Of one session, or of all. `cursor` is `next_cursor` of the page before."""
    page = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.ListReports,
        scoring.ListReportsRequest(session_id=session_id, page_size=limit, page_token=cursor or ""),
    )
    return Reports(
        reports=[reports.short_report(told) for told in page.reports],
        next_cursor=page.next_page_token or None,
    )


@router.get("/reports/{report_id:name}", summary="A report", responses=problems(404, 501, 503))
async def get_report(report_id: str, gateway: TheGateway) -> Report:
    """Whole; while the performance goes on (`open`), as far as it is."""
    return await _report(gateway, scoring.GetReportRequest(report_id=report_id))


@router.get(
    "/sessions/{session_id:name}/report",
    summary="A session's newest report",
    responses=problems(404, 501, 503),
)
async def session_report(session_id: str, gateway: TheGateway) -> Report:
    """Sessions come and go, their reports stay. 404: it has none yet."""
    return await _report(gateway, scoring.GetReportRequest(session_id=session_id))


@router.get(
    "/reports/{report_id:name}/repetitions.csv",
    summary="A report's repetitions as a table",
    response_class=Response,
    responses={**CSV, **problems(404, 501, 503)},
)
async def repetitions_table(report_id: str, gateway: TheGateway) -> Response:
    """A line a repetition; what is unknown is empty."""
    report = await _report(gateway, scoring.GetReportRequest(report_id=report_id))
    return _table(reports.repetitions_table(report))


@router.get(
    "/reports/{report_id:name}/timeline.csv",
    summary="A report's timeline as a table",
    response_class=Response,
    responses={**CSV, **problems(404, 501, 503)},
)
async def timeline_table(report_id: str, gateway: TheGateway) -> Response:
    """A line a point of the timeline; what is unknown is empty."""
    report = await _report(gateway, scoring.GetReportRequest(report_id=report_id))
    return _table(reports.timeline_table(report))


@router.delete(
    "/reports/{report_id:name}",
    summary="Delete a report",
    status_code=204,
    responses=problems(404, 409, 501, 503),
)
async def delete_report(report_id: str, gateway: TheGateway) -> None:
    """409: its performance goes on."""
    await gateway.upstream.ask(
        "scoring", gateway.upstream.scoring.DeleteReport, scoring.DeleteReportRequest(report_id=report_id)
    )


async def _report(gateway: Gateway, which: scoring.GetReportRequest) -> Report:
    found = await gateway.upstream.ask("scoring", gateway.upstream.scoring.GetReport, which)
    return reports.report(found.report)


def _table(text: str) -> Response:
    # Without a name of its own: the page's link gives one that tells reports apart, all else takes the address's.
    return Response(text, media_type="text/csv", headers={"content-disposition": "attachment"})
