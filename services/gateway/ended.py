"""How a call really ended.

grpcio replaces the status that the peer sent by "INTERNAL: Internal error from Core" when a write was on its way as it
arrived. Callbacks run at the first of the two, so what they see is the truth.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc

Value = TypeVar("Value")


class FirstStatus:
    """Remembers the status a call ended with first."""

    def __init__(self, call: Any) -> None:
        self.error: grpc.aio.AioRpcError | None = None
        """The status as an error; None while the call goes on, and after OK."""
        self._seen = False
        call.add_done_callback(self._note)

    def _note(self, call: Any) -> None:
        if self._seen:
            return
        self._seen = True
        code = _at_once(call.code())
        if code is not grpc.StatusCode.OK:
            self.error = grpc.aio.AioRpcError(
                code,
                _at_once(call.initial_metadata()),
                _at_once(call.trailing_metadata()),
                _at_once(call.details()),
            )


def _at_once(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """The result of a coroutine that has nothing to wait for: the call is done."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: Value = ended.value
        return result
    coroutine.close()
    raise RuntimeError("a call that is done had no status")
