"""How a call really ended.

When the peer ends a call while a write is on its way, grpcio sets "INTERNAL: Internal error from Core" beside the status that
the peer sent: after it, or before it. What callbacks see and what awaiting the call raises holds the truth between them.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc

Value = TypeVar("Value")

OF_A_FAILED_WRITE = (grpc.StatusCode.INTERNAL, "Internal error from Core")
PEERS_STATUS_S = 5.0
"""Longest time the peer's status may come after the write that failed of it; it is on its way."""


class PeersStatus:
    """Remembers the status a call was ended with by the peer."""

    def __init__(self, call: Any) -> None:
        self._error: grpc.aio.AioRpcError | None = None
        self._known = asyncio.Event()
        call.add_done_callback(self._note)

    async def error(self) -> grpc.aio.AioRpcError | None:
        """The status of an ended call as an error; None while the call goes on, and after OK."""
        if self._error is not None:
            try:
                async with asyncio.timeout(PEERS_STATUS_S):
                    await self._known.wait()
            except TimeoutError:
                pass
        return self._error

    def heard(self, error: grpc.aio.AioRpcError) -> None:
        """What awaiting the call, or a write, raised: it may hold the truth where the callbacks ran too early."""
        if self._known.is_set():
            return
        self._error = error
        if (error.code(), error.details()) != OF_A_FAILED_WRITE:
            self._known.set()

    def _note(self, call: Any) -> None:
        code, details = _at_once(call.code()), _at_once(call.details())
        if code is not grpc.StatusCode.OK:
            initial, trailing = _at_once(call.initial_metadata()), _at_once(call.trailing_metadata())
            self.heard(grpc.aio.AioRpcError(code, initial, trailing, details))
        elif not self._known.is_set():
            self._known.set()


def _at_once(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """The result of a coroutine that has nothing to wait for: the call is done."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: Value = ended.value
        return result
    coroutine.close()
    raise RuntimeError("a call that is done had no status")
