"""A running gateway on a free port, alone or with the real services behind it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from komi.scoring.v1 import scoring_service_pb2_grpc
from services.gateway.config import GatewaySettings
from services.gateway.server import GatewayServer
from services.mesh.server import Service
from services.pose.build import build as build_pose
from services.pose.config import PoseSettings
from services.pose.models import ModelError, task_path
from services.scoring.build import build as build_scoring
from services.scoring.config import ScoringSettings
from services.sync.build import builder as sync_builder
from services.sync.config import SyncSettings
from tests.gateway.door import Door
from tests.gateway.scripted import Rig, Scoring
from tests.support.capabilities import require
from tests.support.waiting import eventually

NOWHERE = "127.0.0.1:1"
"""Nothing listens there."""


async def open_door(stack: AsyncExitStack, settings: GatewaySettings) -> Door:
    """Start a gateway and a client of it; both end with `stack`."""
    server = GatewayServer(settings)
    await server.start()
    stack.push_async_callback(server.stop)
    client = await stack.enter_async_context(
        httpx.AsyncClient(base_url=f"http://{server.address}", timeout=60)
    )
    assert server.gateway is not None
    await server.gateway.clock.wait_ready()
    return Door(server, client)


@pytest.fixture
async def door(redis_url: str) -> AsyncIterator[Door]:
    """A gateway with Redis and no neighbours: what pose, sync and scoring would write, the test writes."""
    async with AsyncExitStack() as stack:
        yield await open_door(
            stack, GatewaySettings(redis_url=redis_url, port=0, pose=NOWHERE, sync=NOWHERE, scoring=NOWHERE)
        )


async def start_service(stack: AsyncExitStack, service: Service) -> str:
    """Start a service; its address."""
    await service.start()
    stack.push_async_callback(service.stop)
    return service.address


@pytest.fixture
async def mesh(redis_url: str) -> AsyncIterator[Door]:
    """A gateway with real pose (which finds the same standing person in every frame), sync and scoring."""
    async with AsyncExitStack() as stack:
        yield await open_mesh(stack, redis_url, PoseSettings(inference="none", **_free(redis_url)))


@pytest.fixture
async def real_mesh(redis_url: str) -> AsyncIterator[Door]:
    """Every service, with the real model."""
    try:
        task_path("full")
    except ModelError as error:
        require(False, str(error))
    async with AsyncExitStack() as stack:
        yield await open_mesh(stack, redis_url, PoseSettings(**_free(redis_url)))


@pytest.fixture
def squats(shared_data: Path) -> Path:
    """A woman who squats: 13 s, 5 frames a second, two whole squats and a third cut off."""
    return shared_data / "tfjs-pose-squats" / "pose_squats.mp4"


async def open_mesh(stack: AsyncExitStack, redis_url: str, pose: PoseSettings, **shared: Any) -> Door:
    """Start everything, pose as asked, all with the `shared` settings; returns once the gateway is ready."""
    free = _free(redis_url) | shared
    sync_settings = SyncSettings(**free)
    sync = await start_service(stack, Service(sync_settings, sync_builder(sync_settings)))
    pose = pose.model_copy(update={"sync": sync, **shared})
    pose_address = await start_service(stack, Service(pose, partial(build_pose, pose)))
    scoring_settings = ScoringSettings(pose=pose_address, **free)
    scoring = await start_service(stack, Service(scoring_settings, partial(build_scoring, scoring_settings)))
    door = await open_door(
        stack,
        GatewaySettings(redis_url=redis_url, port=0, pose=pose_address, sync=sync, scoring=scoring, **shared),
    )

    async def ready() -> bool:
        return (await door.client.get("/readyz")).status_code == 200

    await eventually(ready, what="readiness of the mesh")
    return door


def _free(redis_url: str) -> dict[str, Any]:
    return {"redis_url": redis_url, "port": 0, "metrics_port": 0, "drain_s": 0.5}


@pytest.fixture
async def rig(redis_url: str) -> AsyncIterator[Rig]:
    scripted = Scoring()  # type: ignore[abstract]
    server = grpc.aio.server()
    scoring_service_pb2_grpc.add_ScoringServiceServicer_to_server(scripted, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, None)
        settings = GatewaySettings(
            redis_url=redis_url,
            port=0,
            pose=NOWHERE,
            sync=NOWHERE,
            scoring=f"127.0.0.1:{port}",
            max_upload_bytes=64 << 20,
        )
        yield Rig(await open_door(stack, settings), scripted)
