"""What can go wrong with a stream or a frame.

KomiError (services.mesh.errors)
├── InvalidInput
│   ├── BadStream             the stream breaks its contract: the call ends
│   └── FrameError            one frame cannot be used: the stream goes on
│       ├── BrokenImage           no JPEG, or a damaged one
│       ├── OversizedImage        more bytes or pixels than allowed
│       └── InferenceFailed       the model gave up on it
├── Exhausted
│   └── NoTracker             every tracker is taken
└── Unavailable
    └── ModelNotLoaded        still loading, or it cannot be loaded
"""

from services.mesh.errors import Exhausted, InvalidInput, Unavailable


class BadStream(InvalidInput):
    reason = "BAD_STREAM"


class FrameError(InvalidInput):
    reason = "FRAME_FAILED"


class BrokenImage(FrameError):
    reason = "IMAGE_BROKEN"


class OversizedImage(FrameError):
    reason = "IMAGE_OVERSIZED"


class InferenceFailed(FrameError):
    reason = "INFERENCE_FAILED"


class NoTracker(Exhausted):
    reason = "NO_TRACKER"


class ModelNotLoaded(Unavailable):
    reason = "MODEL_NOT_LOADED"
