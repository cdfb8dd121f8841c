"""What can go wrong in sync.

KomiError
├── FailedPrecondition
│   └── Fenced            another replica has taken the session over
├── Unavailable
│   └── Moved             the store is not where this replica left it: load it again
├── NotFound
│   └── SessionNotFound   nothing was ever stored for it, and nobody configured it
├── InvalidInput
│   └── CalibrationUnusable  the session's calibration cannot be read
└── OutOfRange
    └── PositionGone      the sets after this position are no longer kept
"""

from services.mesh.errors import FailedPrecondition, InvalidInput, NotFound, OutOfRange, Unavailable


class Fenced(FailedPrecondition):
    reason = "FENCED"


class Moved(Unavailable):
    reason = "STORE_MOVED"


class SessionNotFound(NotFound):
    reason = "SESSION_NOT_FOUND"


class PositionGone(OutOfRange):
    reason = "POSITION_GONE"


class CalibrationUnusable(InvalidInput):
    reason = "CALIBRATION_UNUSABLE"
