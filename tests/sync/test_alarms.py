"""A camera that is out of time is told of once two looks agree, and put right when, and only when, the session asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2_grpc
from services.mesh.channel import open_channel
from services.mesh.redis import connect
from services.mesh.sessions import SessionConfig, SessionStore
from services.mesh.times import from_duration
from services.sync import house
from services.sync.alarms import LOOKS, PATIENCE, Alarms
from services.sync.calibration import CalibratedCamera, parse
from services.sync.content import Lag
from tests.support.waiting import Eventually
from tests.sync import recording
from tests.sync.processes import Client, SyncProcess
from tests.sync.rig import Replica, make_pose, read_sets
from tests.sync.test_views import project

Status: TypeAlias = pb.GetSessionStatusResponse
Send: TypeAlias = Callable[[pose_pb2.PoseFrame], Awaitable[None]]

PERIOD_US = 33_333
LATE = "cam03"
LATE_FRAMES = 2
BEHIND_US = 5_500_000
FOLLOW = SessionConfig("live", extra={"apply_content_lag": "true"})


def late(lag_us: int, *, alarm: bool = True) -> dict[str, Lag]:
    return {"side": Lag(lag_us, 0.5, alarm=alarm, uncertainty_us=6_000)}


def test_an_alarm_is_raised_when_looks_agree_and_dropped_when_the_lag_is_gone_for_good() -> None:
    alarms = Alarms()
    assert alarms.look(late(40_000)) == set()
    assert alarms.now() == {}
    assert alarms.look(late(44_000)) == {"side"}
    alarm = alarms.now()["side"]
    assert (alarm.lag_us, alarm.uncertainty_us, alarm.applied_us) == (44_000, 6_000, None)
    assert alarm.confidence > 0.99
    for _ in range(PATIENCE - 1):
        alarms.look({})
    assert alarms.now()["side"].uncertainty_us is None
    assert alarms.now()["side"].confidence == 0
    alarms.look(late(1_000, alarm=False))
    assert alarms.now() == {}


def test_looks_that_contradict_each_other_raise_nothing() -> None:
    alarms = Alarms()
    for lag_us in (60_000, -60_000, 25_000, 100_000):
        assert alarms.look(late(lag_us)) == set()
    assert alarms.now() == {}


def test_what_is_still_found_is_added_to_the_correction_and_all_of_it_ends_with_the_wish() -> None:
    alarms = Alarms()
    alarms.ask({}, follow=True)
    for lag_us, total_us in ((40_000, 40_000), (-22_000, 18_000)):
        for _ in range(LOOKS):
            alarms.look(late(lag_us))
        assert alarms.corrections_us == {"side": total_us}
    assert alarms.now()["side"].applied_us == 18_000
    alarms.ask({"side": 50_000}, follow=True)
    assert alarms.corrections_us == {"side": 50_000}
    alarms.ask({}, follow=False)
    assert alarms.corrections_us == {}
    assert alarms.now() == {}


class Rig:
    """The recording's four cameras around a body that moves; the pictures of one are late.

    It begins some seconds ago, and catches up with the present as fast as it can.
    """

    def __init__(self, cameras: Mapping[str, CalibratedCamera], send: Send, now_us: int) -> None:
        self._cameras = cameras
        self._send = send
        self._start_us = now_us - BEHIND_US
        self._began_s = time.monotonic() - BEHIND_US / 1e6
        self._body = np.random.default_rng(1).uniform(-0.4, 0.4, (33, 3)) + np.array([0, 0, 1])
        self.sent = 0

    async def shoot(self, frames: int) -> None:
        for n in range(self.sent, self.sent + frames):
            await asyncio.sleep(max(0.0, self._began_s + n * PERIOD_US / 1e6 - time.monotonic()))
            for name, camera in self._cameras.items():
                pose = make_pose(name, n, self._start_us + n * PERIOD_US)
                pose.image_width, pose.image_height = (int(side) for side in camera.size_px)
                shown = n - (LATE_FRAMES if name == LATE else 0)
                world = self._body + 0.2 * np.sin(shown * PERIOD_US * 4e-6 + np.arange(3))
                pose.pose.image_px[:] = project(camera, world).ravel().tolist()
                await self._send(pose)
        self.sent += frames


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures are compared a few times a second."""
    monkeypatch.setattr(house, "PERIOD_S", 0.1)


@pytest.mark.usefixtures("quick_looks")
async def test_a_session_that_asks_has_its_late_camera_put_right(
    replica: Replica, shared_data: Path, eventually: Eventually
) -> None:
    text = recording.calibration(shared_data)
    config = SessionConfig("live", cameras=recording.CAMERAS, calibration_toml=text, resample=False)
    store = SessionStore(replica.redis)
    await store.put(config)

    async def status() -> Status:
        answer: Status = await replica.stub.GetSessionStatus(pb.GetSessionStatusRequest(session_id="live"))
        return answer

    async with replica.ingest() as stream:
        rig = Rig(parse(text), stream.send, await replica.now_us())

        async def raised(*, applied: bool) -> Status | None:
            """Each look needs new frames."""
            await rig.shoot(4)
            found = await status()
            return found if [(a.camera_id, a.applied) for a in found.alarms] == [(LATE, applied)] else None

        async def told(look: Callable[[], Awaitable[Status | None]]) -> Status:
            found = await eventually(look, within=60, what="the alarm")
            assert found is not None
            return found

        await rig.shoot(150)
        found = await told(lambda: raised(applied=False))
        alarm = found.alarms[0]
        lag_us = LATE_FRAMES * PERIOD_US
        assert from_duration(alarm.lag) == pytest.approx(lag_us, abs=from_duration(alarm.uncertainty))
        assert from_duration(alarm.uncertainty) < 20_000
        assert alarm.confidence > 0.95
        assert not alarm.HasField("applied_lag")
        assert [c.camera_id for c in found.cameras if c.content_lag_alarm] == [LATE]
        before = await replica.sets()
        assert all(len({m.id.sequence for m in s.members}) == 1 for s in before)

        await store.put(replace(config, extra=FOLLOW.extra))
        found = await told(lambda: raised(applied=True))
        assert from_duration(found.alarms[0].applied_lag) == pytest.approx(lag_us, abs=8_000)
        assert not any(camera.content_lag_alarm for camera in found.cameras)
        first = rig.sent

        async def put_right() -> set[int]:
            await rig.shoot(4)
            sets = [{m.id.camera_id: m.id.sequence for m in s.members} for s in await replica.sets()]
            return {of[LATE] - of["cam01"] for of in sets if len(of) == 4 and of["cam01"] >= first + 5}

        shifts = await eventually(put_right, within=60, what="sets of corrected frames")
        assert shifts == {LATE_FRAMES}

        await store.put(config)

        async def uncorrected() -> bool:
            return not any(alarm.applied for alarm in (await status()).alarms)

        await eventually(uncorrected, within=60, what="the end of the correction")


async def test_a_correction_outlives_the_replica_that_found_it(
    redis_url: str, shared_data: Path, eventually: Eventually
) -> None:
    """Bug: what came in before the new replica had read the session's corrections was stored with wrong times."""
    text = recording.calibration(shared_data)
    config = replace(FOLLOW, cameras=recording.CAMERAS, calibration_toml=text, resample=False)
    redis = connect(redis_url)
    try:
        await SessionStore(redis).put(config)
        async with (
            SyncProcess(redis_url) as first,
            SyncProcess(redis_url) as second,
            Client([first.address, second.address]) as client,
            open_channel(second.address) as channel,
        ):
            stub = sync_service_pb2_grpc.SyncServiceStub(channel)

            async def send(pose: pose_pb2.PoseFrame) -> None:
                await eventually(lambda: client.waiting < 32, within=60, what="room in the client")
                client.send(pose)

            seconds, _ = await redis.time()
            rig = Rig(parse(text), send, int(seconds) * 1_000_000)

            async def applied() -> Status | None:
                await rig.shoot(4)
                status: Status = await stub.GetSessionStatus(pb.GetSessionStatusRequest(session_id="live"))
                return status if [a.applied for a in status.alarms] == [True] else None

            found = await eventually(applied, within=90, what="the correction")
            assert found is not None
            applied_us = from_duration(found.alarms[0].applied_lag)
            await rig.shoot(20)
            before = rig.sent
            # Sets that left before are trimmed in time: they may not be asked later.
            fence = (await read_sets(redis))[-1].fence
            first.kill()

            async def taken_over() -> list[pb.SyncedSet]:
                await rig.shoot(4)
                sets = await read_sets(redis)
                later = [s for s in sets if s.fence > fence and len(s.members) == 4]
                assert later
                assert later[-1].members[0].id.sequence > before + 30
                return later

            later = await eventually(taken_over, within=60, what="sets of the other replica")
            status = await stub.GetSessionStatus(pb.GetSessionStatusRequest(session_id="live"))
    finally:
        await redis.aclose()
    shifts = {m.id.camera_id: {s.members[k].id.sequence - s.members[0].id.sequence for s in later}
              for k, m in enumerate(later[0].members)}  # fmt: skip
    assert shifts == {name: {LATE_FRAMES if name == LATE else 0} for name in recording.CAMERAS}
    assert [(a.camera_id, a.applied) for a in status.alarms] == [(LATE, True)]
    assert from_duration(status.alarms[0].applied_lag) == pytest.approx(applied_us, abs=8_000)
