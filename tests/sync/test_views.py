"""A session that carries a calibration gets its person in metres; one without gets the views' average."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.sessions import SessionConfig, SessionStore
from services.sync.calibration import CalibratedCamera, parse
from services.sync.house import lag_corrections
from tests.support.waiting import Eventually
from tests.sync import recording
from tests.sync.rig import Replica, make_pose

PERIOD_US = 33_333


def project(camera: CalibratedCamera, world: recording.Array) -> recording.Array:
    """Pixels of world points, lens distortion left out (it is below a tenth of a pixel here)."""
    there = np.column_stack((world, np.ones(len(world)))) @ camera.projection.T
    return (there[:, :2] / there[:, 2:]) @ camera.matrix[:2, :2].T + camera.matrix[:2, 2]


async def test_a_calibrated_session_is_triangulated(
    patient: Replica, shared_data: Path, eventually: Eventually
) -> None:
    replica = patient
    text = recording.calibration(shared_data)
    cameras = parse(text)
    config = SessionConfig("live", cameras=recording.CAMERAS, calibration_toml=text, resample=False)
    await SessionStore(replica.redis).put(config)
    world = np.random.default_rng(1).uniform(-0.4, 0.4, (33, 3)) + np.array([0, 0, 1])
    async with replica.ingest() as stream:
        now = await replica.now_us()
        for n in range(10):
            for name in recording.CAMERAS:
                pose = make_pose(name, n, now - 600_000 + n * PERIOD_US)
                pose.image_width, pose.image_height = (int(side) for side in cameras[name].size_px)
                pose.pose.image_px[:] = project(cameras[name], world).ravel().tolist()
                await stream.send(pose)
        await stream.finish()

        async def whole() -> list[pb.SyncedSet]:
            return [s for s in await replica.sets() if len(s.members) == 4]

        sets = await eventually(whole, what="whole sets")
    fused = sets[-1].fused
    assert fused.triangulated
    assert np.allclose(np.reshape(fused.world_m, (33, 3)), world, atol=2e-3)
    assert max(fused.reprojection_px) < 2.0
    assert min(fused.confidence) > 0.8


async def test_without_calibration_the_views_are_averaged(patient: Replica, eventually: Eventually) -> None:
    replica = patient
    body = np.random.default_rng(2).uniform(-0.5, 0.5, (33, 3))
    async with replica.ingest() as stream:
        now = await replica.now_us()
        for n in range(6):
            for name in ("front", "side"):
                pose = make_pose(name, n, now - 400_000 + n * PERIOD_US)
                pose.pose.world_m[:] = body.ravel().tolist()
                await stream.send(pose)
        await stream.finish()

        async def whole() -> list[pb.SyncedSet]:
            return [s for s in await replica.sets() if len(s.members) == 2]

        sets = await eventually(whole, what="whole sets")
    assert not sets[-1].fused.triangulated
    assert not sets[-1].fused.reprojection_px
    assert np.allclose(np.reshape(sets[-1].fused.world_m, (33, 3)), body, atol=1e-5)


async def test_nobody_found_is_not_fused(patient: Replica, eventually: Eventually) -> None:
    replica = patient
    async with replica.ingest() as stream:
        now = await replica.now_us()
        for n in range(6):
            poses: list[pose_pb2.PoseFrame] = [
                make_pose(name, n, now - 400_000 + n * PERIOD_US, person=False) for name in ("front", "side")
            ]
            await stream.send(*poses)
        await stream.finish()

        async def whole() -> list[pb.SyncedSet]:
            return [s for s in await replica.sets() if len(s.members) == 2]

        sets = await eventually(whole, what="whole sets")
    assert not any(s.HasField("fused") for s in sets)


async def test_a_lag_is_taken_off_only_when_the_session_asks(
    patient: Replica, eventually: Eventually
) -> None:
    replica = patient
    config = SessionConfig("live", resample=False, extra={"lag_us": '{"side": 40000}'})
    await SessionStore(replica.redis).put(config)
    async with replica.ingest() as stream:
        await stream.send(make_pose("front", 0, await replica.now_us() - 900_000))
        # The configuration is read when the session is taken over, before its first set.
        await eventually(replica.sets, what="the first set")
        for n in range(1, 20):
            # Young, as live frames are: an old one waits for nobody. The newcomer first: it is not yet waited for.
            at = await replica.now_us() - 20_000
            await stream.send(make_pose("side", n, at + 40_000), make_pose("front", n, at))
            await asyncio.sleep(PERIOD_US / 1e6)

        async def nine_whole() -> list[pb.SyncedSet]:
            found = [s for s in await replica.sets() if len(s.members) == 2]
            return found if len(found) >= 9 else []

        whole = await eventually(nine_whole, what="nine whole sets")
        await stream.finish()
    assert {s.spread_us for s in whole} == {0}
    assert all(s.members[0].id.sequence == s.members[1].id.sequence for s in whole)


@pytest.mark.parametrize("asked", ["no json", "[1]", '{"side": "much"}'])
def test_nonsense_corrections_correct_nothing(asked: str) -> None:
    assert lag_corrections(SessionConfig("live", extra={"lag_us": asked})) == {}
