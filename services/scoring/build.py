"""Puts the service's parts together."""

import asyncio
from functools import partial

import numpy as np
import structlog

from komi.pose.v1 import pose_service_pb2_grpc
from komi.scoring.v1 import scoring_service_pb2, scoring_service_pb2_grpc
from services.mesh.channel import open_channel
from services.mesh.redis import connect
from services.mesh.server import ServiceContext
from services.scoring.advice.knowledge import exercises
from services.scoring.config import ScoringSettings
from services.scoring.judging.comparison import cosine
from services.scoring.judging.deviation import momentary
from services.scoring.library.builder import ReferenceBuilder
from services.scoring.library.calibrating import Calibrator
from services.scoring.library.store import ReferenceStore
from services.scoring.movement.alignment import OnlineWarping
from services.scoring.movement.features import FEATURES
from services.scoring.movement.joints import joint_errors
from services.scoring.movement.landmarks import LANDMARKS, View
from services.scoring.movement.smoothing import lowpass, resample
from services.scoring.movement.views import fuse, turn_between
from services.scoring.movement.warping import warping_path
from services.scoring.phrasing.model import LanguageModel
from services.scoring.reference.tolerance import Tolerances
from services.scoring.rpcs.parts import Parts
from services.scoring.service import ScoringServicer
from services.scoring.sessions.roster import Roster
from services.scoring.sessions.watch import Watcher

log = structlog.get_logger()

FULL_NAME = scoring_service_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name
OTHER_CALLS = 32
"""Connections to Redis beside one for each session."""


async def build(settings: ScoringSettings, context: ServiceContext) -> None:
    """Register ScoringService and start scoring sessions."""
    log.info("compiling the inner loops: the first start on a machine takes half a minute for it")
    await asyncio.to_thread(compile_loops)
    # Read now: a broken file stops the start, and no session waits for them.
    await asyncio.to_thread(exercises)
    clock = context.clock

    # Each session waits for its sets on a connection of its own.
    redis = connect(settings.redis_url, connections=settings.max_sessions + OTHER_CALLS)
    context.on_close(redis.aclose)
    watcher = Watcher(redis)
    address = settings.language_model
    model = LanguageModel(address) if address is not None else None
    if model is not None:
        context.on_close(model.aclose)
    roster = Roster(settings, redis, context.replica_id, model)
    context.on_close(roster.close)
    context.tasks.start("roster", roster.run)

    channel = open_channel(settings.pose, settings.api_token)
    context.on_close(partial(channel.close, None))
    store = ReferenceStore(context.redis)
    pose = pose_service_pb2_grpc.PoseServiceStub(channel)
    builder = ReferenceBuilder(settings, pose, store, clock.now_us)
    calibrator = Calibrator(builder, store, clock.now_us)
    parts = Parts(settings, context.redis, store, builder, calibrator, watcher)
    scoring_service_pb2_grpc.add_ScoringServiceServicer_to_server(ScoringServicer(parts), context.server)
    context.add_service(FULL_NAME)

    async def drain() -> None:
        await asyncio.gather(roster.drain(), watcher.drain())

    context.on_drain(drain)


def compile_loops() -> None:
    """Numba compiles at the first call, which takes seconds the first time; no session shall wait for it."""
    rows = np.zeros((8, FEATURES))
    warping_path(rows, rows)
    lowpass(rows, 30.0)
    resample(np.arange(8.0), rows, np.arange(8.0))
    warping = OnlineWarping(rows, 30.0, cyclic=True)
    warping.advance(rows[0], np.ones(FEATURES), 1 / 30)
    points = np.ones((LANDMARKS, 3))
    fuse((View("", points[:, :2], points, points[:, 0]),), (0.0,))
    turn_between(0.0, 1.0)
    ones = np.ones(FEATURES)
    momentary(rows[0], rows[0], ones > 0, Tolerances(ones, ones, ones))
    joint_errors(rows[0], rows[0], ones > 0)
    cosine(rows, rows, ones > 0)
