"""Freed memory goes back to the system."""

import psutil
import pytest

from services.mesh import memory


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
