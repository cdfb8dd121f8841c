"""What a start-up leaves behind costs nothing later, and freed memory goes back to the system."""

import subprocess
import sys

import psutil
import pytest

from services.mesh import memory
from tests.support.redis_server import CHECKOUT

SETTLED = """
import gc
import services.gateway.app
from services.mesh import memory
memory.settle()
print(len(gc.get_objects()))
"""


def test_what_was_freed_below_something_kept_goes_back_to_the_system() -> None:
    if not memory.give_back():
        pytest.skip("this C library keeps what it has")
    process = psutil.Process()
    # Too large for Python's own arenas, too small for a mapping each: glibc's heap.
    pieces = [bytes(2000 + number % 7) for number in range(40_000)]
    kept = pieces[-1]
    held = process.memory_info().rss
    pieces.clear()
    memory.give_back()
    assert held - process.memory_info().rss > 40_000_000
    assert len(kept) >= 2000


def test_what_a_start_leaves_behind_is_not_gone_through_again_by_the_garbage_collector() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", SETTLED], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    assert int(printed) < 1000  # of a hundred thousand
