"""What the gateway itself refuses; all else comes from its neighbours.

InvalidInput
├── BadMessage        a WebSocket message that is no such message
├── BadUpload         a multipart body that cannot be used
│   └── TooLarge      … because it is larger than allowed (413)
└── WrongMediaType    a body of another type than asked for (415)
NotFound
├── CameraNotFound
└── BuildNotFound
Unavailable
└── NoImageYet        the camera is connected, its first image is not there yet
PermissionDenied
├── ForeignOrigin     a page from elsewhere opens a WebSocket
└── ForeignHost       a stranger's name stands for this machine
"""

from http import HTTPStatus
from typing import ClassVar

from services.mesh.errors import InvalidInput, NotFound, PermissionDenied, Unavailable


class BadMessage(InvalidInput):
    reason = "BAD_MESSAGE"


class BadUpload(InvalidInput):
    reason = "BAD_UPLOAD"


class TooLarge(BadUpload):
    http_status: ClassVar[HTTPStatus] = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    reason = "TOO_LARGE"


class WrongMediaType(InvalidInput):
    http_status: ClassVar[HTTPStatus] = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    reason = "WRONG_MEDIA_TYPE"


class CameraNotFound(NotFound):
    reason = "CAMERA_NOT_FOUND"

    def __init__(self, camera_id: str) -> None:
        super().__init__(f"no camera {camera_id!r} is connected: see GET /api/v1/cameras")


class BuildNotFound(NotFound):
    reason = "BUILD_NOT_FOUND"

    def __init__(self, build_id: str) -> None:
        super().__init__(f"no build {build_id!r}: it is known for an hour after its last change")


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
