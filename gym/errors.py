"""What can go wrong in the gym.

GymError
├── AddressError        a camera address that cannot be read
├── ScriptError         a script that cannot be read
└── MovementError       a movement file that is wrong, or a fault it does not have
    └── UnknownMovement
"""


class GymError(ValueError):
    """Base of the gym's errors; the message says what to change."""


class AddressError(GymError):
    """A `gym:` address that cannot be read."""


class ScriptError(GymError):
    """A script that cannot be read."""


class MovementError(GymError):
    """A movement file that is wrong, or a fault the movement does not have."""


class UnknownMovement(MovementError):
    """There is no such movement."""
