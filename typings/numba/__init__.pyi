"""The few names of numba that KOMI uses: numba itself ships no types for them."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

_P = ParamSpec("_P")
_R = TypeVar("_R")

@overload
def njit(function: Callable[_P, _R], /) -> Callable[_P, _R]: ...
@overload
def njit(
    signature: Any = None,
    /,
    *,
    cache: bool = ...,
    nogil: bool = ...,
    parallel: bool = ...,
    fastmath: bool | set[str] = ...,
    boundscheck: bool | None = ...,
    inline: str = ...,
    error_model: str = ...,
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...

prange = range

def set_num_threads(n: int) -> None: ...
