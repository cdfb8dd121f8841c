"""Errors keep their meaning on the way from service to service, and to HTTP."""

from http import HTTPStatus

import grpc
import pytest
from grpc_status import rpc_status

from services.mesh.errors import KomiError, PermissionDenied, TooLarge, Unauthenticated, Unavailable
from services.mesh.status import KINDS, from_rpc_error, to_status


def arrived(error: KomiError) -> KomiError:
    """What a neighbour makes of `error`, once it was a status on the wire."""
    status = rpc_status.to_status(to_status(error))
    trailing = grpc.aio.Metadata(*status.trailing_metadata)
    return from_rpc_error(
        grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), trailing, status.details), "pose"
    )


@pytest.mark.parametrize("kind", [*KINDS, TooLarge])
def test_every_kind_of_error_arrives_as_what_it_was(kind: type[KomiError]) -> None:
    """What was too large once and for all arrived as `Exhausted`, and over HTTP as 429: try again later."""

    class Particular(kind):  # type: ignore[valid-type, misc]
        reason = "PARTICULAR"

    seen = arrived(Particular("so it is", retry_after_s=1.5))
    assert type(seen) is kind
    assert (seen.message, seen.reason, seen.retry_after_s) == ("so it is", "PARTICULAR", 1.5)
    assert seen.http_status is kind.http_status


@pytest.mark.parametrize(
    ("code", "http"),
    [
        ("CANCELLED", 503),
        ("UNKNOWN", 502),
        ("INVALID_ARGUMENT", 400),
        ("DEADLINE_EXCEEDED", 504),
        ("NOT_FOUND", 404),
        ("ALREADY_EXISTS", 409),
        ("PERMISSION_DENIED", 403),
        ("UNAUTHENTICATED", 401),
        ("RESOURCE_EXHAUSTED", 503),
        ("FAILED_PRECONDITION", 409),
        ("ABORTED", 503),
        ("UNIMPLEMENTED", 503),
        ("OUT_OF_RANGE", 400),
        ("INTERNAL", 502),
        ("UNAVAILABLE", 503),
        ("DATA_LOSS", 502),
    ],
)
def test_a_status_that_no_service_of_ours_wrote_has_its_http_status(code: str, http: int) -> None:
    """One of gRPC's own, or a proxy's: without a reason, and with words that are not meant for users."""
    error = from_rpc_error(
        grpc.aio.AioRpcError(grpc.StatusCode[code], grpc.aio.Metadata(), grpc.aio.Metadata(), "words"), "pose"
    )
    assert error.http_status == HTTPStatus(http)
    # Camera links try again what is unavailable, and slowly what was refused.
    assert isinstance(error, Unavailable) is (http >= 500)
    assert isinstance(error, (Unauthenticated, PermissionDenied)) is (http in (401, 403))
