"""What happens around every call a service handles: errors become statuses, ends are counted, deadlines handed on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog

from services.mesh import status, telemetry
from services.mesh.channel import time_remaining
from services.mesh.errors import KomiError, Unavailable
from services.mesh.redis import UNREACHABLE

log = structlog.get_logger()

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

_MAKE: dict[tuple[bool, bool], Callable[..., Any]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def like(handler: Handler, behaviour: Callable[..., Any], *, read: bool = True) -> Handler:
    """A handler of the same kind that does `behaviour` instead. Without `read`, requests stay bytes."""
    made: Handler = _MAKE[handler.request_streaming, handler.response_streaming](
        behaviour, handler.request_deserializer if read else None, handler.response_serializer
    )
    return made


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Turns domain errors into statuses, counts every call's end, hands on deadlines, hides what is unexpected."""

    def __init__(self, service: str) -> None:
        self._service = service

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        if handler.response_streaming:
            return like(handler, self._streaming(handler.stream_stream or handler.unary_stream, method))
        return like(handler, self._unary(handler.stream_unary or handler.unary_unary, method))

    def _unary(self, inner: Callable[[Any, Any], Awaitable[Any]], method: str) -> Callable[[Any, Any], Any]:
        async def call(request: Any, context: Any) -> Any:
            time_remaining.set(context.time_remaining)
            try:
                answer = await inner(request, context)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
                await self._fail(error, method, context)
            except asyncio.CancelledError:
                self._count(method, "CANCELLED")
                raise
            self._count(method, "OK")
            return answer

        return call

    def _streaming(
        self, inner: Callable[[Any, Any], AsyncIterator[Any]], method: str
    ) -> Callable[[Any, Any], AsyncIterator[Any]]:
        async def call(request: Any, context: Any) -> AsyncIterator[Any]:
            time_remaining.set(context.time_remaining)
            answers = inner(request, context)
            try:
                async for answer in answers:
                    yield answer
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
                await self._fail(error, method, context)
            except (asyncio.CancelledError, GeneratorExit):
                self._count(method, "CANCELLED")
                raise
            finally:
                # The handler's own `finally` must run now, not when the garbage collector finds it.
                await answers.aclose()  # type: ignore[attr-defined]
            self._count(method, "OK")

        return call

    def _count(self, method: str, code: str) -> None:
        telemetry.RPCS.labels(self._service, method.rpartition("/")[2], code).inc()

    async def _fail(self, error: Exception, method: str, context: Any) -> NoReturn:
        if isinstance(error, grpc.aio.AbortError):
            code = context.code()
            self._count(method, code.name if isinstance(code, grpc.StatusCode) else "UNKNOWN")
            raise error
        if isinstance(error, UNREACHABLE):
            error = Unavailable(
                "Redis cannot be reached; try again when it is back",
                reason="REDIS_UNREACHABLE",
                retry_after_s=1.0,
            )
        if isinstance(error, KomiError):
            self._count(method, error.code)
            log.info("call refused", method=method, reason=error.reason, message=error.message)
            await status.abort(context, error)
        self._count(method, "INTERNAL")
        log.error("call failed unexpectedly", method=method, exc_info=error)
        await context.abort(
            grpc.StatusCode.INTERNAL, f"{self._service} failed unexpectedly; its log says more"
        )
        raise AssertionError("abort() always raises")
