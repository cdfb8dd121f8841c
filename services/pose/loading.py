"""Loads MediaPipe without what only its drawing and recording parts ask for.

Its package imports all of itself, and with it matplotlib and a sound library: a quarter of the seconds and 30 MB of a
service that draws and records nothing. They are looked up as empty modules meanwhile, and can be imported as ever afterwards.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from services.pose.graphics import provide_graphics

_UNUSED = ("matplotlib", "matplotlib.pyplot", "sounddevice")


def load_mediapipe() -> None:
    """Import MediaPipe, whatever the machine lacks. Does nothing where it is loaded."""
    if "mediapipe" in sys.modules:
        return
    provide_graphics()
    with _left_out(*_UNUSED):
        import mediapipe  # noqa: F401


@contextmanager
def _left_out(*names: str) -> Iterator[None]:
    empty = [name for name in names if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in empty})
    try:
        yield
    finally:
        for name in empty:
            del sys.modules[name]
