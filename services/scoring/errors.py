"""What can go wrong in scoring.

InvalidInput
├── ReferenceUnusable     a sample video cannot become a reference
│   ├── NobodyFound       no person in most of it
│   ├── SeveralPeople     two people where one is expected
│   ├── TooShort          not enough of it to see a movement or a held pose
│   ├── UpsideDown        the picture has to be turned
│   ├── NoVideo           the file is no video that can be read
│   └── CutOff            the file ends before its video does
├── DifferentExercise     a further video does not show the same movement
├── NoRepetition          a video to calibrate on shows no repetition of the reference
├── BadTemplate           bytes that are not a template of a version we read
├── BadReferenceFile      a file that is no exported reference, or no longer whole
├── BadCalibration        a calibration that does not fit the template
└── TooLarge              a video longer or larger than allowed
"""

from services.mesh import errors
from services.mesh.errors import InvalidInput


class ReferenceUnusable(InvalidInput):
    """A sample video cannot become a reference."""

    reason = "REFERENCE_UNUSABLE"


class NobodyFound(ReferenceUnusable):
    """Most frames show no person."""

    reason = "REFERENCE_NOBODY_FOUND"


class SeveralPeople(ReferenceUnusable):
    """More than one person is in the picture, so it is unclear whom to follow."""

    reason = "REFERENCE_SEVERAL_PEOPLE"


class TooShort(ReferenceUnusable):
    """There is not enough of the video to see a movement or a held pose."""

    reason = "REFERENCE_TOO_SHORT"


class UpsideDown(ReferenceUnusable):
    """The person stands on their head, which nearly always means that the video is turned."""

    reason = "REFERENCE_UPSIDE_DOWN"


class NoVideo(ReferenceUnusable):
    """The file is no video that can be read."""

    reason = "REFERENCE_NO_VIDEO"


class CutOff(ReferenceUnusable):
    """The file ends before its video does: an upload that broke off."""

    reason = "REFERENCE_CUT_OFF"


class DifferentExercise(InvalidInput):
    """A further video does not show the movement of the reference it should refine."""

    reason = "REFERENCE_DIFFERENT_EXERCISE"


class NoRepetition(InvalidInput):
    """A video to calibrate on shows none of the reference's repetitions."""

    reason = "CALIBRATION_NO_REPETITION"


class BadTemplate(InvalidInput):
    """Stored bytes are not a template of a version this program reads."""

    reason = "TEMPLATE_UNREADABLE"


class BadReferenceFile(InvalidInput):
    """A file is no exported reference, or no longer whole, or newer than this program."""

    reason = "REFERENCE_FILE_UNREADABLE"


class BadCalibration(InvalidInput):
    """A calibration does not fit the template it is applied to."""

    reason = "CALIBRATION_MISFIT"


class TooLarge(errors.TooLarge):
    """A video is longer or larger than this installation allows."""

    reason = "REFERENCE_TOO_LARGE"
