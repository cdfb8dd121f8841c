"""Time between the frames of a camera, whatever its timestamps do."""

NOMINAL_US = 33_333
"""Where timestamps do not tell."""
WIDEST_US = 60_000_000
"""After so long nothing of the smoothing is left anyway."""


class Steps:
    """Turns capture times into steps that are good to smooth by.

    The steps matter, as smoothing goes by speed: had a step back become one of a millisecond, the landmarks would
    stick for as long as the step was wide.
    """

    def __init__(self) -> None:
        self._last_us: int | None = None

    def to(self, time_us: int) -> float:
        """Seconds since the last frame, more than 0; a time that does not rise counts as one nominal step."""
        step_us = NOMINAL_US if self._last_us is None else time_us - self._last_us
        self._last_us = time_us
        return (min(step_us, WIDEST_US) if step_us > 0 else NOMINAL_US) / 1e6
