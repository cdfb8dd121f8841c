"""What can go wrong, once for all services.

KomiError
├── InvalidInput          the caller sent something that cannot be used
│   ├── OutOfRange        … it was valid once, or will be: a position no longer kept
│   └── TooLarge          … because it is larger than is ever taken
├── NotFound              no such camera, session, reference
├── AlreadyExists         the name is taken
├── FailedPrecondition    right request, wrong state
├── PermissionDenied      the token does not allow it
├── Unauthenticated       no token, or a wrong one
├── Exhausted             a limit is reached; trying later may help
├── Unavailable           a part that is needed cannot be reached now; trying again helps
│   ├── Draining          this replica is shutting down; another one serves
│   ├── NeighbourFailed   a service that was asked broke on it
│   └── NeighbourSlow     a service that was asked did not answer in time
└── SettingsError         a setting is unknown or wrong (start-up only)

A service derives its own errors from these; the base decides the gRPC status (by name: this module knows no gRPC, so
that pure domain modules may use it) and the HTTP status.
"""

from http import HTTPStatus
from typing import ClassVar


class KomiError(Exception):
    """Base of every error KOMI raises on purpose.

    `message` is one English sentence: what happened, to what, what to do. `reason` is a stable name in upper
    case (google.rpc.ErrorInfo.reason); a class may fix it, an instance may refine it. `retry_after_s` says when
    trying again makes sense, seconds.
    """

    code: ClassVar[str] = "UNKNOWN"
    http_status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    reason: str = "ERROR"

    def __init__(
        self, message: str, *, reason: str | None = None, retry_after_s: float | None = None, **metadata: str
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or type(self).reason
        self.retry_after_s = retry_after_s
        self.metadata = metadata


class InvalidInput(KomiError):
    code = "INVALID_ARGUMENT"
    http_status = HTTPStatus.BAD_REQUEST
    reason = "INVALID_INPUT"


class OutOfRange(InvalidInput):
    code = "OUT_OF_RANGE"
    reason = "OUT_OF_RANGE"


class TooLarge(InvalidInput):
    """More than is ever taken. `Exhausted` is what may fit later."""

    code = "RESOURCE_EXHAUSTED"
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    reason = "TOO_LARGE"


class NotFound(KomiError):
    code = "NOT_FOUND"
    http_status = HTTPStatus.NOT_FOUND
    reason = "NOT_FOUND"


class AlreadyExists(KomiError):
    code = "ALREADY_EXISTS"
    http_status = HTTPStatus.CONFLICT
    reason = "ALREADY_EXISTS"


class FailedPrecondition(KomiError):
    code = "FAILED_PRECONDITION"
    http_status = HTTPStatus.CONFLICT
    reason = "FAILED_PRECONDITION"


class PermissionDenied(KomiError):
    code = "PERMISSION_DENIED"
    http_status = HTTPStatus.FORBIDDEN
    reason = "PERMISSION_DENIED"


class Unauthenticated(KomiError):
    code = "UNAUTHENTICATED"
    http_status = HTTPStatus.UNAUTHORIZED
    reason = "UNAUTHENTICATED"


class Exhausted(KomiError):
    code = "RESOURCE_EXHAUSTED"
    http_status = HTTPStatus.TOO_MANY_REQUESTS
    reason = "EXHAUSTED"


class Unavailable(KomiError):
    code = "UNAVAILABLE"
    http_status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "UNAVAILABLE"


class Draining(Unavailable):
    reason = "DRAINING"


class NeighbourFailed(Unavailable):
    http_status = HTTPStatus.BAD_GATEWAY
    reason = "NEIGHBOUR_FAILED"


class NeighbourSlow(Unavailable):
    http_status = HTTPStatus.GATEWAY_TIMEOUT
    reason = "NEIGHBOUR_SLOW"


class SettingsError(KomiError):
    reason = "SETTINGS"
