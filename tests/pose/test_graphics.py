"""MediaPipe loads where there are no graphics libraries."""

import platform
import subprocess
import sys

import pytest

from services.pose.graphics import _wanted_functions, stand_in

LOADS = """
import ctypes, sys, tempfile
with tempfile.NamedTemporaryFile(suffix=".so") as file:
    file.write(sys.stdin.buffer.read())
    file.flush()
    ctypes.CDLL(file.name, mode=ctypes.RTLD_GLOBAL)
by_name = ctypes.CDLL("libKomiTest.so.1")
print(by_name.eglGetDisplay(5), by_name.glGetIntegeri_v(1, 2), hasattr(by_name, "glNothing"))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"},
    reason="stand-ins are for Linux",
)
def test_a_stand_in_is_found_by_its_name_and_every_function_mediapipe_wants_answers_0() -> None:
    functions = _wanted_functions()
    assert {b"eglGetDisplay", b"glGetIntegeri_v", b"glFlush"} <= set(functions)
    library = stand_in(b"libKomiTest.so.1", functions, platform.machine())
    loaded = subprocess.run([sys.executable, "-c", LOADS], input=library, capture_output=True, check=False)
    assert loaded.stdout == b"0 0 False\n", loaded.stderr.decode()
