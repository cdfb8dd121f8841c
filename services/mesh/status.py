"""Errors to and from gRPC: one table, with google.rpc.ErrorInfo and RetryInfo as details."""

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from services.mesh.errors import (
    AlreadyExists,
    Exhausted,
    FailedPrecondition,
    InvalidInput,
    KomiError,
    NotFound,
    OutOfRange,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)

DOMAIN = "komi"
KINDS: tuple[type[KomiError], ...] = (
    InvalidInput,
    OutOfRange,
    NotFound,
    AlreadyExists,
    FailedPrecondition,
    PermissionDenied,
    Unauthenticated,
    Exhausted,
    Unavailable,
)
_BY_CODE = {kind.code: kind for kind in KINDS}


def code_of(error: KomiError) -> grpc.StatusCode:
    """The gRPC status of an error."""
    return grpc.StatusCode[error.code]


def to_status(error: KomiError) -> status_pb2.Status:
    """The error as google.rpc.Status."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    details = [_packed(info)]
    if error.retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    return status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message, details=details)


def _packed(message: error_details_pb2.ErrorInfo | error_details_pb2.RetryInfo) -> AnyProto:
    packed = AnyProto()
    packed.Pack(message)
    return packed


async def abort(context: "grpc.aio.ServicerContext[Any, Any]", error: KomiError) -> None:
    """End the call with the error's status and details."""
    trailing = rpc_status.to_status(to_status(error)).trailing_metadata
    await context.abort(code_of(error), error.message, trailing)


def from_rpc_error(error: grpc.aio.AioRpcError, neighbour: str) -> KomiError:
    """What a neighbour's answer means to us; `neighbour` names it in messages that it did not write itself."""
    reason, retry_after_s = None, None
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    kind = _BY_CODE.get(error.code().name)
    if kind is None or (kind is Unavailable and reason is None):
        return Unavailable(
            f"{neighbour} did not answer ({error.code().name}): {error.details()}", retry_after_s=1.0
        )
    return kind(error.details() or error.code().name, reason=reason, retry_after_s=retry_after_s)
