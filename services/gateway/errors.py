"""What the gateway itself refuses; all else comes from its neighbours.

InvalidInput
├── BadMessage        a WebSocket message that is no such message
├── BadCalibration    a calibration that cannot be used
├── BadUpload         a multipart body that cannot be used
└── WrongMediaType    a body of another type than asked for (415)
NotFound
├── CameraNotFound
├── CalibrationNotFound
├── ExerciseNotFound
└── JobNotFound       a build or comparison that nobody knows (any more)
FailedPrecondition
└── JobCancelled      a build or comparison that somebody has ended
NotProvided           the neighbour runs a version that cannot do this (501)
NeighbourRefuses      the neighbour does not take this gateway's token (502)
Unavailable
└── NoImageYet        the camera is connected, its first image is not there yet
PermissionDenied
├── ForeignOrigin     a page from elsewhere opens a WebSocket
└── ForeignHost       a stranger's name stands for this machine
"""

from http import HTTPStatus
from typing import ClassVar

from services.mesh.errors import (
    FailedPrecondition,
    InvalidInput,
    KomiError,
    NotFound,
    PermissionDenied,
    Unavailable,
)


class BadMessage(InvalidInput):
    reason = "BAD_MESSAGE"


class BadCalibration(InvalidInput):
    reason = "BAD_CALIBRATION"


class BadUpload(InvalidInput):
    reason = "BAD_UPLOAD"


class WrongMediaType(InvalidInput):
    http_status: ClassVar[HTTPStatus] = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    reason = "WRONG_MEDIA_TYPE"


class CameraNotFound(NotFound):
    reason = "CAMERA_NOT_FOUND"

    def __init__(self, camera_id: str) -> None:
        super().__init__(f"no camera {camera_id!r} is connected: see GET /api/v1/cameras")


class CalibrationNotFound(NotFound):
    reason = "CALIBRATION_NOT_FOUND"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"session {session_id!r} has no calibration: PUT one at this address")


class ExerciseNotFound(NotFound):
    reason = "EXERCISE_NOT_FOUND"

    def __init__(self, exercise: str) -> None:
        super().__init__(f"no exercise {exercise!r}: see GET /api/v1/exercises")


class JobNotFound(NotFound):
    def __init__(self, what: str, job_id: str) -> None:
        super().__init__(
            f"no {what} {job_id!r}: it is known for an hour after its last change",
            reason=f"{what.upper()}_NOT_FOUND",
        )


class JobCancelled(FailedPrecondition):
    reason = "JOB_CANCELLED"

    def __init__(self, what: str) -> None:
        super().__init__(f"the {what} was cancelled: upload it again to have one")


class NotProvided(KomiError):
    code = "UNIMPLEMENTED"
    http_status: ClassVar[HTTPStatus] = HTTPStatus.NOT_IMPLEMENTED
    reason = "NOT_PROVIDED"

    def __init__(self, neighbour: str) -> None:
        super().__init__(
            f"the {neighbour} that runs here cannot do this: run one of the gateway's own version"
        )


class NeighbourRefuses(KomiError):
    """It is the gateway that may not, whoever asked: their own token may well be right."""

    code = "UNAVAILABLE"
    http_status: ClassVar[HTTPStatus] = HTTPStatus.BAD_GATEWAY
    reason = "NEIGHBOUR_REFUSES"

    def __init__(self, neighbour: str) -> None:
        super().__init__(
            f"{neighbour} does not take the token of this gateway: both need the same KOMI_API_TOKEN"
        )


class NoImageYet(Unavailable):
    reason = "NO_IMAGE_YET"

    def __init__(self, camera_id: str) -> None:
        super().__init__(
            f"camera {camera_id!r} is connected, but no image of it has arrived yet; try again in a second",
            retry_after_s=1.0,
        )


class ForeignHost(PermissionDenied):
    reason = "FOREIGN_HOST"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"this gateway asks for no token and is not known as {host[:200]!r}: use its address or localhost, or run "
            "it with --access token"
        )


class ForeignOrigin(PermissionDenied):
    reason = "FOREIGN_ORIGIN"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"pages of {origin[:200]} may not open a WebSocket here: add the origin to --cors-origins to allow it"
        )
