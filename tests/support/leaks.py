"""Finds what a test left behind: asyncio tasks and child processes."""

import asyncio
import time
from collections.abc import Iterable

import psutil

TASK_GRACE_S = 5.0
PROCESS_GRACE_S = 5.0

# Processes of the whole run (the shared Redis), which start in the middle of some test.
of_the_run: set[int] = set()

# What Python itself keeps beside a program that uses multiprocessing.
_PYTHONS_OWN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


async def leaked_tasks(before: Iterable["asyncio.Task[object]"]) -> list[str]:
    """Return the tasks that run now, did not run `before` and do not end within the grace; cancels them."""
    known = {*before, asyncio.current_task()}
    left = {task for task in asyncio.all_tasks() if task not in known}
    if left:
        _, left = await asyncio.wait(left, timeout=TASK_GRACE_S)
    names = sorted(f"{task.get_name()}: {task.get_coro()!r}" for task in left)
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=TASK_GRACE_S)
    return names


def children() -> set[psutil.Process]:
    """Return every living descendant of this process, the run's own and Python's left out."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if process.pid in of_the_run or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if not any(name in " ".join(process.cmdline()) for name in _PYTHONS_OWN):
                found.add(process)
        except psutil.NoSuchProcess:
            continue
    return found


def leaked_processes(before: set[psutil.Process]) -> list[str]:
    """Return the descendants that live now, did not live `before` and outlast the grace; ends them."""
    deadline = time.monotonic() + PROCESS_GRACE_S
    while (left := children() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    described = []
    for process in left:
        try:
            described.append(f"{process.pid}: {' '.join(process.cmdline())[:200]}")
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=PROCESS_GRACE_S)
    return sorted(described)
