"""How the gym's kernels are compiled, and where the compiled code is kept."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile with Numba: cached on disk where that can be, releasing the GIL, with relaxed floating point."""
    from numba import njit

    return njit(cache=_CACHED, nogil=True, fastmath=True)(function)


def _place_for_cache(beside: Path) -> bool:
    """Whether compiled code can be kept. Numba refuses to compile when it finds no place for its cache.

    Beside the code where that is writable; on a read-only file system in the temporary folder, if there
    is one; NUMBA_CACHE_DIR decides before both.
    """
    told = os.environ.get("NUMBA_CACHE_DIR")
    if not told and os.access(beside, os.W_OK):
        return True
    folder = Path(told) if told else Path(tempfile.gettempdir()) / f"komi-gym-numba-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Compiled code is loaded from there: in the temporary folder it must be nobody else's.
        if not told and folder.stat().st_uid != os.getuid():
            return False
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return False
    if not told:
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
        _reload_settings()
    return True


def _reload_settings() -> None:
    """Numba reads its environment when it is first imported, which may have been long ago."""
    import numba.core.config as numba_config

    reload: Callable[[], None] = numba_config.reload_config
    reload()


_CACHED = _place_for_cache(Path(__file__).parent)
