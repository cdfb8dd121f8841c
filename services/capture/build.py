"""Puts the service's parts together."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from komi.capture.v1 import capture_service_pb2, capture_service_pb2_grpc
from komi.pose.v1 import pose_service_pb2_grpc
from services.capture.camera import Camera
from services.capture.config import CaptureSettings
from services.capture.link import Stream
from services.capture.pose_messages import StreamOptions
from services.capture.pose_stream import PoseStream
from services.capture.printing import PosePrinter
from services.capture.rig import OpenStream, Rig
from services.capture.server_time import ServerTime
from services.capture.service import CaptureServicer
from services.capture.states import Target
from services.capture.websocket_stream import WebSocketStream
from services.mesh.channel import open_channel
from services.mesh.server import ServiceContext

FULL_NAME = capture_service_pb2.DESCRIPTOR.services_by_name["CaptureService"].full_name
DRAIN_S = 1.0


async def build(settings: CaptureSettings, context: ServiceContext) -> None:
    """Open the cameras and register CaptureService."""
    encoders = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="encoder")
    server_time = ServerTime()
    rig = Rig(
        settings.named_cameras(),
        Target(settings.fps, settings.width, settings.height),
        loop_recordings=settings.loop,
        quality_range=(settings.quality_min, settings.quality_max),
        open_stream=_streams(settings, context, encoders),
        server_time=server_time,
        encoders=encoders,
    )
    context.on_drain(partial(rig.drain, min(DRAIN_S, settings.drain_s)))
    context.on_close(rig.close)
    context.readiness.add("cameras", rig.cameras_check)
    context.readiness.add("server", rig.links_check)
    capture_service_pb2_grpc.add_CaptureServiceServicer_to_server(CaptureServicer(rig), context.server)
    context.add_service(FULL_NAME)
    rig.start(context.tasks, context.finish)


def _streams(settings: CaptureSettings, context: ServiceContext, encoders: ThreadPoolExecutor) -> OpenStream:
    """How a camera gets a stream to the server that is named."""
    printer = PosePrinter() if settings.print_poses else None
    if printer is not None:
        context.on_close(partial(_in_thread, printer.close))
    server = settings.parsed_server()
    token = settings.token if settings.token.get_secret_value() else settings.api_token
    if server.protocol == "websocket":
        on_answer = printer.answer if printer is not None else _ignore

        def open_socket(camera: Camera, _jitter_us: Callable[[], int]) -> Stream:
            return WebSocketStream(camera, server.target, token.get_secret_value(), encoders, on_answer)

        return open_socket

    channel = open_channel(server.target, token)
    context.on_close(partial(channel.close, None))
    stub = pose_service_pb2_grpc.PoseServiceStub(channel)
    options = StreamOptions(
        session_id=settings.session,
        # Kept over reconnects, so that pose knows its own stale stream.
        instance_id=context.replica_id,
        return_poses=settings.print_poses,
        segmentation=settings.segmentation,
        max_persons=settings.max_persons,
    )
    on_pose = printer.pose if printer is not None else _ignore

    def open_stream(camera: Camera, jitter_us: Callable[[], int]) -> Stream:
        return PoseStream(camera, stub, server.target, options, encoders, on_pose, jitter_us)

    return open_stream


async def _in_thread(work: Callable[[], None]) -> None:
    await asyncio.to_thread(work)


def _ignore(_answer: object) -> None:
    """Nobody asked to see poses."""
