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
    NeighbourFailed,
    NeighbourSlow,
    NotFound,
    OutOfRange,
    PermissionDenied,
    TooLarge,
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
_BY_NAME = {kind.__name__: kind for kind in (TooLarge,)}
"""Kinds that share another's code: ErrorInfo.metadata["kind"] tells them apart."""


def code_of(error: KomiError) -> grpc.StatusCode:
    """The gRPC status of an error."""
    return grpc.StatusCode[error.code]


def to_status(error: KomiError) -> status_pb2.Status:
    """The error as google.rpc.Status."""
    told = dict(error.metadata)
    for name, kind in _BY_NAME.items():
        if isinstance(error, kind):
            told["kind"] = name
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=told)
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
    code = error.code().name
    kind = _BY_CODE.get(code, Unavailable)
    reason, retry_after_s = None, None
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason = info.reason
            kind = _BY_NAME.get(info.metadata.get("kind", ""), kind)
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    if reason is None and code in ("INTERNAL", "UNKNOWN", "DATA_LOSS"):
        return NeighbourFailed(f"{neighbour} failed unexpectedly; its log says more")
    if reason is None and code == "DEADLINE_EXCEEDED":
        return NeighbourSlow(f"{neighbour} did not answer in time; try again", retry_after_s=1.0)
    # gRPC itself says RESOURCE_EXHAUSTED of a message larger than it carries: nothing the caller could wait for.
    if reason is None and kind in (Unavailable, Exhausted):
        return Unavailable(f"{neighbour} did not answer ({code}): {error.details()}", retry_after_s=1.0)
    return kind(error.details() or code, reason=reason, retry_after_s=retry_after_s)
