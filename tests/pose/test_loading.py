"""MediaPipe loads without what it does not need here."""

import subprocess
import sys

from tests.support.redis_server import CHECKOUT

LEAN = """
import sys
from services.pose.loading import load_mediapipe
load_mediapipe()
from mediapipe.tasks.python.vision import PoseLandmarker
print([name for name in ("matplotlib", "sounddevice") if name in sys.modules])
import matplotlib.pyplot
print(callable(matplotlib.pyplot.plot))
"""


def test_a_process_that_infers_does_not_load_what_draws_and_can_still_do_so_afterwards() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LEAN], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert loaded.stdout == "[]\nTrue\n", loaded.stderr
