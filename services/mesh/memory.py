"""Gives memory back that was freed: glibc keeps what a start-up, a video or a burst once took, for good if nobody asks."""

import asyncio
import ctypes
from itertools import chain, repeat

PAUSES_S = (5.0, 10.0)
"""Soon after the start, which frees what was only needed to import."""
PAUSE_S = 60.0


def give_back() -> bool:
    """Return free pages to the system, a few milliseconds; releases the GIL. False where the C library cannot."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # musl, macOS, Windows
        return False
    trim(0)
    return True


async def keep_giving_back() -> None:
    """From time to time, until cancelled."""
    for pause_s in chain(PAUSES_S, repeat(PAUSE_S)):
        await asyncio.sleep(pause_s)
        if not await asyncio.to_thread(give_back):
            break
    await asyncio.Event().wait()
