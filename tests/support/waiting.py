"""Waiting for a condition with a deadline, in place of sleeping for luck."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

POLL_S = 0.01
PATIENCE_S = 30.0
"""What a condition gets to come true: only a test that fails waits so long, and a loaded machine is no failure."""


class Eventually:
    """Polls a condition, plain or async, until it is true, and returns its value.

    An AssertionError out of the condition counts as "not yet"; any other error ends the wait.
    Raises AssertionError naming `what` and the last value seen once `within` seconds are over.
    """

    @overload
    async def __call__(
        self, condition: Callable[[], Awaitable[T]], *, within: float = ..., what: str = ...
    ) -> T: ...
    @overload
    async def __call__(self, condition: Callable[[], T], *, within: float = ..., what: str = ...) -> T: ...
    async def __call__(
        self, condition: Callable[[], object], *, within: float = PATIENCE_S, what: str = "the condition"
    ) -> object:
        """Wait for `condition`: `await eventually(lambda: server.ready, what="the server")`."""
        deadline = time.monotonic() + within
        while True:
            try:
                last = condition()
                if inspect.isawaitable(last):
                    last = await last
                if last:
                    return last
            except AssertionError as refusal:
                last = refusal
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come true within {within:g} s; last seen: {last!r}")
            await asyncio.sleep(POLL_S)


eventually = Eventually()


def wait_for(condition: Callable[[], T], *, within: float = PATIENCE_S, what: str = "the condition") -> T:
    """Do as `eventually` does, for tests without an event loop."""
    deadline = time.monotonic() + within
    while True:
        last: object
        try:
            result = condition()
            if result:
                return result
            last = result
        except AssertionError as refusal:
            last = refusal
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {within:g} s; last seen: {last!r}")
        time.sleep(POLL_S)
