"""Puts the service's parts together."""

from functools import partial

from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.mesh.channel import open_channel
from services.mesh.errors import Unavailable
from services.mesh.server import ServiceContext
from services.mesh.stages import monotonic_ns
from services.pose import metrics
from services.pose.config import PoseSettings
from services.pose.cores import usable_cores
from services.pose.decode import ImageLimits
from services.pose.forward import SyncForwarder
from services.pose.models import ModelError, model_name, task_path
from services.pose.models.store import sha256_of
from services.pose.pool import InferencePool
from services.pose.presence import Presence
from services.pose.service import PoseServicer
from services.pose.streams import Streams
from services.pose.tracker import IdleModel, Model

FULL_NAME = pose_service_pb2.DESCRIPTOR.services_by_name["PoseService"].full_name


async def build(settings: PoseSettings, context: ServiceContext) -> None:
    """Load the model and register PoseService. Raises Unavailable when there is no model, or it does not load."""
    workers = settings.workers or usable_cores()
    model, called, model_sha256 = _model(settings, workers)
    pool = InferencePool(
        model,
        workers=workers,
        max_trackers=settings.max_trackers,
        limits=ImageLimits(settings.max_frame_bytes, settings.max_frame_pixels),
        now_ns=monotonic_ns,
    )
    metrics.WAITING.set_function(lambda: pool.waiting)
    context.on_close(pool.close)
    await pool.start()

    clock = context.clock

    channel = open_channel(settings.sync, settings.api_token) if settings.sync else None
    forwarder = None
    if channel is not None:
        forwarder = SyncForwarder(
            channel, context.replica_id, capacity=settings.buffered_poses, now_ns=monotonic_ns
        )
        context.on_close(partial(channel.close, None))
        context.on_close(forwarder.close)

    presence = Presence(context.redis, clock)
    context.tasks.start("prune-cameras", presence.prune)
    streams = Streams(
        settings,
        pool,
        presence,
        clock,
        replica_id=context.replica_id,
        publish=forwarder.publish if forwarder is not None else None,
        now_ns=monotonic_ns,
    )
    context.on_drain(streams.drain)
    servicer = PoseServicer(
        settings,
        pool,
        streams,
        presence,
        model=called,
        model_sha256=model_sha256,
        replica_id=context.replica_id,
    )
    pose_service_pb2_grpc.add_PoseServiceServicer_to_server(servicer, context.server)
    context.add_service(FULL_NAME)


def _model(settings: PoseSettings, workers: int) -> tuple[Model, str, str]:
    """The model, what it is called and hashes to. Raises Unavailable when there is none."""
    if settings.inference == "none":
        return IdleModel(), "none", ""
    try:
        task = task_path(settings.model)
    except ModelError as error:
        raise Unavailable(str(error), reason="MODEL_MISSING") from error
    # Brings LiteRT.
    from services.pose.blazepose.model import BlazePose

    return BlazePose(task, workers=workers, cores=usable_cores()), model_name(settings.model), sha256_of(task)
