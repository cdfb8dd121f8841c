"""Memory that a start-up leaves behind: kept out of later garbage collections, and given back where it was freed, since
glibc keeps what a start-up, a video or a burst once took for good if nobody asks.
"""

import asyncio
import ctypes
import gc
from itertools import chain, repeat

PAUSES_S = (5.0, 10.0)
"""Soon after the start, which frees what was only needed to import."""
PAUSE_S = 60.0


def settle() -> None:
    """Leave all that is here now out of later garbage collections: a full one goes through every module's objects, 25 to
    80 ms in which a service does nothing else. For programs, once they have started: what is here is never collected.
    """
    gc.collect()
    gc.freeze()


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
