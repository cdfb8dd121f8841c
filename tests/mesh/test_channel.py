"""Channels between services."""

from importlib import import_module

from services.mesh.channel import STREAMED


def test_no_call_that_streams_its_requests_is_retried_by_grpc() -> None:
    """A stream that gRPC retried by itself hung for good now and then: its poses stayed where they were."""
    streamed: dict[str, list[str]] = {}
    for name in ("capture", "pose", "scoring", "sync"):
        contract = import_module(f"komi.{name}.v1.{name}_service_pb2")
        for service in contract.DESCRIPTOR.services_by_name.values():
            methods = sorted(method.name for method in service.methods if method.client_streaming)
            if methods:
                streamed[service.full_name] = methods
    assert streamed == STREAMED
