"""A gateway under test, and what its neighbours would write for it."""

import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import simplejpeg
from websockets.asyncio.client import ClientConnection, connect

from komi.common.v1 import frame_pb2, pose_pb2
from komi.pose.v1 import pose_service_pb2
from komi.scoring.v1 import scoring_service_pb2 as scoring
from komi.sync.v1 import sync_service_pb2
from services.gateway.gateway import Gateway
from services.gateway.server import GatewayServer
from services.mesh import keys
from services.mesh.cameras import CameraRegister
from services.mesh.redis import RedisClient
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.times import to_timestamp

JPEG: bytes = simplejpeg.encode_jpeg(np.full((48, 64, 3), 128, dtype=np.uint8), quality=80, colorspace="RGB")


@dataclass(frozen=True)
class Door:
    """The gateway, a REST client, and shorthands."""

    server: GatewayServer
    client: httpx.AsyncClient

    @property
    def gateway(self) -> Gateway:
        assert self.server.gateway is not None
        return self.server.gateway

    @property
    def redis(self) -> RedisClient:
        return self.gateway.redis

    def socket(self, path: str, **options: Any) -> AbstractAsyncContextManager[ClientConnection]:
        """A WebSocket client connection to `path`."""
        return connect(f"ws://{self.server.address}{path}", compression=None, open_timeout=60, **options)

    async def emit(self, synced: sync_service_pb2.SyncedSet) -> None:
        """As sync does."""
        await self.redis.xadd(keys.synced_sets(synced.session_id), {"set": synced.SerializeToString()})

    async def score(self, update: scoring.ScoreUpdate) -> None:
        """As scoring does."""
        await self.redis.xadd(keys.scores(update.session_id), {"update": update.SerializeToString()})

    async def register(self, camera_id: str, session_id: str = "live") -> None:
        """As pose does for a connected camera."""
        now_us = self.gateway.clock.now_us()
        camera = pose_service_pb2.Camera(
            camera_id=camera_id, session_id=session_id, connected_time=to_timestamp(now_us), fps=30
        )
        await CameraRegister(self.redis).report(camera, "test", now_us)


async def receive(socket: ClientConnection, *types: str) -> dict[str, Any]:
    """The next message of one of `types`, whatever comes before it."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if not types or message["type"] in types:
            return message


def a_frame(camera_id: str = "front", sequence: int = 1, *, person: bool = True) -> pose_pb2.PoseFrame:
    """A pose as pose publishes it."""
    now_ns = monotonic_ns()
    frame = pose_pb2.PoseFrame(
        id=frame_pb2.FrameId(session_id="live", camera_id=camera_id, sequence=sequence),
        time=frame_pb2.CaptureTime(
            server_time=to_timestamp(1_795_219_261_000_000 + 33_333 * sequence),
            uncertainty_us=400,
            source=frame_pb2.TIME_SOURCE_CLOCK_PROBES,
        ),
        image_width=640,
        image_height=480,
        persons=int(person),
        stamps=frame_pb2.StageStamps(
            captured_monotonic_ns=now_ns - 30_000_000,
            capture_host_id=HOST_ID,
            inferred_monotonic_ns=now_ns - 5_000_000,
            pose_host_id=HOST_ID,
        ),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    )
    if person:
        for i in range(33):
            frame.pose.image_px.extend((100.123 + i, 200.456 + i))
            frame.pose.image_normalised.extend((0.1, 0.2, -0.3))
            frame.pose.world_m.extend((0.01, -0.58, -0.22))
            frame.pose.visibility.append(0.9)
            frame.pose.presence.append(0.95)
    return frame


def a_set(sequence: int, *frames: pose_pb2.PoseFrame, session_id: str = "live") -> sync_service_pb2.SyncedSet:
    """A synced set as sync emits it."""
    members = frames or (a_frame(sequence=sequence),)
    synced = sync_service_pb2.SyncedSet(
        session_id=session_id,
        sequence=sequence,
        server_time=members[0].time.server_time,
        members=members,
        kind=sync_service_pb2.SET_KIND_GROUP,
        stamps=members[0].stamps,
        spread_us=1200,
    )
    synced.stamps.synced_monotonic_ns, synced.stamps.sync_host_id = monotonic_ns(), HOST_ID
    return synced


def an_update(
    sequence: int, *, session_id: str = "live", completes: int = 0, cue: str = ""
) -> scoring.ScoreUpdate:
    """A score as scoring emits it."""
    update = scoring.ScoreUpdate(
        session_id=session_id,
        set_sequence=sequence,
        server_time=to_timestamp(1_795_219_261_000_000 + 33_333 * sequence),
        state=scoring.TRACKING_STATE_TRACKING,
        phase=scoring.PHASE_OUT,
        reference_frame=57.5,
        confidence=0.93,
        score=87.2,
        sub_scores=scoring.SubScores(form=88, range=91),
        joint_errors=[scoring.JointError(joint="left_knee", degrees=-12, severity=1.3)],
        repetitions=completes,
        reference_id="r-1",
        reference_version=1,
        stamps=a_set(sequence).stamps,
    )
    if completes:
        update.completed.CopyFrom(
            scoring.Repetition(
                number=completes, score=84, range_of_motion=0.97, worst_phase=scoring.PHASE_TURN
            )
        )
    if cue:
        update.advice.CopyFrom(
            scoring.Advice(
                code=cue, text_ko="무릎을 밖으로", text_en="Knees out", joints=["left_knee"], repetition=1
            )
        )
    return update
