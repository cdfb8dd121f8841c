"""A camera that is out of time is told of once two looks agree, and put right when, and only when, the session asks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.sessions import SessionConfig, SessionStore
from services.mesh.times import from_duration
from services.sync import house
from services.sync.alarms import LOOKS, PATIENCE, Alarms
from services.sync.calibration import CalibratedCamera, parse
from services.sync.content import Lag
from tests.support.waiting import Eventually
from tests.sync import recording
from tests.sync.rig import Ingest, Replica, make_pose
from tests.sync.test_views import project

Status: TypeAlias = pb.GetSessionStatusResponse

PERIOD_US = 33_333
LATE = "cam03"
LATE_FRAMES = 2
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
    """The recording's four cameras around a body that moves; the pictures of one are late."""

    def __init__(self, cameras: Mapping[str, CalibratedCamera], stream: Ingest, start_us: int) -> None:
        self._cameras = cameras
        self._stream = stream
        self._start_us = start_us
        self._body = np.random.default_rng(1).uniform(-0.4, 0.4, (33, 3)) + np.array([0, 0, 1])
        self.sent = 0

    async def shoot(self, frames: int) -> None:
        for n in range(self.sent, self.sent + frames):
            for name, camera in self._cameras.items():
                pose = make_pose(name, n, self._start_us + n * PERIOD_US)
                pose.image_width, pose.image_height = (int(side) for side in camera.size_px)
                shown = n - (LATE_FRAMES if name == LATE else 0)
                world = self._body + 0.2 * np.sin(shown * PERIOD_US * 4e-6 + np.arange(3))
                pose.pose.image_px[:] = project(camera, world).ravel().tolist()
                await self._stream.send(pose)
        self.sent += frames


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures are compared a few times a second: the test's frames come faster than those of cameras."""
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
        rig = Rig(parse(text), stream, await replica.now_us() - 25_000_000)

        async def raised(*, applied: bool) -> Status | None:
            """Each look needs new frames."""
            if rig.sent < 700:
                await rig.shoot(4)
                await asyncio.sleep(0.1)
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
        await rig.shoot(40)

        async def put_right() -> set[int]:
            sets = [{m.id.camera_id: m.id.sequence for m in s.members} for s in await replica.sets()]
            return {of[LATE] - of["cam01"] for of in sets if len(of) == 4 and of["cam01"] >= first + 5}

        shifts = await eventually(put_right, within=60, what="sets of corrected frames")
        assert shifts == {LATE_FRAMES}

        await store.put(config)

        async def uncorrected() -> bool:
            return not any(alarm.applied for alarm in (await status()).alarms)

        await eventually(uncorrected, within=60, what="the end of the correction")
