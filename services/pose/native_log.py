"""Keeps LiteRT's chatter at each load out of the log.

Its native code writes to stderr past Python, and no setting or variable silences it (2.3.0).
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

KNOWN_NOISE = (b"Created TensorFlow Lite XNNPACK delegate",)
_STDERR = 2
_one_at_a_time = threading.Lock()


@contextmanager
def without_known_noise() -> Iterator[None]:
    """Hold back what is written to stderr meanwhile, by whichever thread; then pass on all but the known noise."""
    with _one_at_a_time, tempfile.TemporaryFile() as held:
        before = os.dup(_STDERR)
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(before, _STDERR)
            os.close(before)
            held.seek(0)
            kept = b"".join(line for line in held if not any(noise in line for noise in KNOWN_NOISE))
            if kept:
                os.write(_STDERR, kept)
