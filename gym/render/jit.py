"""How the gym's kernels are compiled, and where the compiled code is kept."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _choose_cache() -> None:
    """On a read-only file system Numba finds no place for its cache and refuses to compile: give it one."""
    here = Path(__file__).parent
    if "NUMBA_CACHE_DIR" not in os.environ and not os.access(here, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"komi-gym-numba-{os.getuid()}")
    import numba.core.config as numba_config

    reload: Callable[[], None] = numba_config.reload_config
    reload()


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile with Numba: cached on disk, releasing the GIL, with relaxed floating point."""
    from numba import njit

    return njit(cache=True, nogil=True, fastmath=True)(function)


_choose_cache()
