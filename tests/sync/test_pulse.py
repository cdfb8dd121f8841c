"""A process that was held up gives what piled up a moment to be read before time counts on."""

import asyncio
import time

import pytest

from services.sync import pulse as pulse_module
from services.sync.pulse import CATCH_UP_S, STALL_S, Pulse
from tests.support.waiting import Eventually


def test_while_it_beats_all_time_counts() -> None:
    pulse = Pulse()
    for n in range(1, 50):
        pulse.beat(n / 100)
        assert pulse.held_up_s(n / 100 + 0.005) == 0


def test_time_stands_still_from_the_last_beat_until_what_piled_up_is_read() -> None:
    pulse = Pulse()
    pulse.beat(1.0)
    pulse.beat(1.01)
    assert pulse.held_up_s(1.2) == pytest.approx(0.19)
    pulse.beat(1.2)
    assert pulse.held_up_s(1.21) == pytest.approx(0.2)
    assert pulse.held_up_s(1.2 + CATCH_UP_S) == 0


async def test_it_rests_while_nobody_asks_and_its_rest_is_no_stall(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(pulse_module, "REST_S", 0.1)
    pulse = Pulse()
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(pulse.run())
    try:
        assert pulse.held_up_s(loop.time()) == 0
        await eventually(lambda: pulse.beats, what="the first beat")
        await eventually(lambda: not pulse.beats, what="rest")
        await asyncio.sleep(2 * STALL_S)
        assert pulse.held_up_s(loop.time()) == 0
        await eventually(lambda: pulse.beats, what="beating again")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_pause_longer_than_its_patience_is_a_stall_all_the_same(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(pulse_module, "REST_S", 0.1)
    pulse = Pulse()
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(pulse.run())
    try:
        pulse.held_up_s(loop.time())
        await eventually(lambda: pulse.beats, what="the first beat")
        time.sleep(0.3)  # noqa: ASYNC251 - the loop stands still, as that of a paused container
        assert pulse.held_up_s(loop.time()) >= 0.3
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
