"""A network's own threads: known by name, and kept off the core of the thread that waits for them.

A network that runs on several threads hands them a piece of every layer. Woken after a pause they often land on the core of
the thread that wakes them, and the two take turns there for the few milliseconds that a frame takes: 8 ms in place of 4.
"""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

THREAD_NAME = "pose-model"
"""What they are called, in /proc and in ps. No longer than 15 bytes."""
_TASKS = Path("/proc/self/task")
_starting = threading.Lock()
_current_core = ctypes.CDLL(None).sched_getcpu if sys.platform == "linux" else lambda: -1
_CAN_PLACE = sys.platform == "linux"


@contextlib.contextmanager
def started() -> Iterator[set[int]]:
    """The threads that native code starts meanwhile from here, once it is over; they are called THREAD_NAME. Linux only."""
    new: set[int] = set()
    if not _CAN_PLACE:
        yield new
        return
    own = _TASKS / str(threading.get_native_id()) / "comm"
    # One at a time: who starts threads bears their name meanwhile, and would be taken for one of them.
    with _starting:
        name, before = own.read_text(), running()
        own.write_text(THREAD_NAME)
        try:
            yield new
        finally:
            own.write_text(name)
            new |= running() - before


def running() -> set[int]:
    """The threads of this process that are called so."""
    found = set()
    for task in _TASKS.iterdir() if _CAN_PLACE else ():
        with contextlib.suppress(OSError):  # it ended meanwhile
            if (task / "comm").read_text().strip() == THREAD_NAME:
                found.add(int(task.name))
    return found


class Placed:
    """Threads that go wherever the caller is not."""

    def __init__(self) -> None:
        self._threads: set[int] = set()
        self._avoided = -1

    def add(self, threads: set[int]) -> None:
        """These too."""
        self._threads |= threads
        self._avoided = -1

    def step_aside(self) -> None:
        """Keep them off the core that the calling thread runs on now."""
        if not self._threads:
            return
        core = _current_core()
        if core == self._avoided:
            return
        self._avoided = core
        others = os.sched_getaffinity(os.getpid()) - {core}
        for thread in tuple(self._threads) if others else ():
            # Not worth a frame: they stay where they were.
            with contextlib.suppress(OSError):
                os.sched_setaffinity(thread, others)
