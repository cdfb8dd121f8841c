"""MediaPipe loads where there are no graphics libraries."""

import platform
import subprocess
import sys

import pytest

from bench.stock.graphics import _wanted_functions
from tests.support.redis_server import CHECKOUT

BARE_MACHINE = """
import ctypes
from bench.stock import graphics
graphics.LIBRARIES = ("libKomiTestA.so.1", "libKomiTestB.so.2")  # which no machine has
graphics.provide_graphics()
for library in map(ctypes.CDLL, graphics.LIBRARIES):
    print(library.eglGetDisplay(5), library.glGetIntegeri_v(1, 2), hasattr(library, "glNothing"))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"},
    reason="stand-ins are for Linux",
)
def test_stand_ins_are_found_by_their_names_and_every_function_mediapipe_wants_answers_0() -> None:
    assert {b"eglGetDisplay", b"glGetIntegeri_v", b"glFlush"} <= set(_wanted_functions())
    loaded = subprocess.run(
        [sys.executable, "-c", BARE_MACHINE], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert loaded.stdout == "0 0 False\n" * 2, loaded.stderr
