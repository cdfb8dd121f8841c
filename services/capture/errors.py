"""What can go wrong with a camera.

KomiError (services.mesh.errors)
├── SettingsError
│   └── BadAddress            a camera or server is named in a way that cannot be understood (start-up only)
├── InvalidInput
│   └── BadChange             a rate or size out of range
├── NotFound
│   └── UnknownCamera
├── PermissionDenied
│   └── Refused               the gateway does not take this camera; it is tried again slowly
└── Unavailable
    ├── NoFrameYet
    ├── SourceLost            the camera cannot be opened or read now; it is tried again
    ├── LinkLost              the server cannot be reached or went away; it is tried again
    └── PosesUnanswered       a recording ended, and what was sent last got no answer
"""

from services.mesh.errors import InvalidInput, NotFound, PermissionDenied, SettingsError, Unavailable


class BadAddress(SettingsError):
    reason = "BAD_ADDRESS"


class BadChange(InvalidInput):
    reason = "BAD_CHANGE"


class UnknownCamera(NotFound):
    reason = "CAMERA_NOT_FOUND"


class Refused(PermissionDenied):
    reason = "REFUSED"


class NoFrameYet(Unavailable):
    reason = "NO_FRAME_YET"


class SourceLost(Unavailable):
    reason = "SOURCE_LOST"


class LinkLost(Unavailable):
    reason = "LINK_LOST"


class PosesUnanswered(Unavailable):
    reason = "POSES_UNANSWERED"
