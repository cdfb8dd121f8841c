"""The small shared parts: slot, tasks, times, stages."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komi.common.v1 import frame_pb2, stream_pb2
from services.mesh import stages, times
from services.mesh.newest import NewestSlot
from services.mesh.tasks import Tasks


async def test_slot_hands_back_what_it_displaces_and_ends_when_closed() -> None:
    slot: NewestSlot[int] = NewestSlot()
    assert slot.put(1) is None
    assert slot.put(2) == 1
    assert await slot.get() == 2
    slot.put(3)
    slot.close()
    assert await slot.get() == 3
    assert await slot.get() is None


async def test_failed_background_task_starts_again() -> None:
    tasks = Tasks(first_pause_s=0.001)
    runs = 0
    done = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ValueError("fails twice")
        done.set()

    tasks.start("flaky", work)
    async with asyncio.timeout(30):
        await done.wait()
    await tasks.close()
    assert runs == 3


async def test_closing_ends_tasks_that_would_run_for_ever() -> None:
    tasks = Tasks()
    running = tasks.start("endless", asyncio.Event().wait)  # type: ignore[arg-type]
    await tasks.close()
    assert running.cancelled()


@given(st.integers(-(2**50), 2**50))
def test_microseconds_survive_the_trip_through_protos(micros: int) -> None:
    assert times.from_timestamp(times.to_timestamp(micros)) == micros
    assert times.from_duration(times.to_duration(micros)) == micros


def test_enum_names_are_short_and_lower_case() -> None:
    assert times.drop_name(stream_pb2.DROP_REASON_SUPERSEDED) == "superseded"
    assert times.time_source_name(frame_pb2.TIME_SOURCE_CLOCK_PROBES) == "clock_probes"


def test_traceparent_has_the_w3c_form() -> None:
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", stages.new_traceparent())
    assert stages.HOST_ID > 0


def test_unknown_enum_value_is_an_error() -> None:
    with pytest.raises(ValueError, match="99"):
        times.drop_name(99)


async def test_a_task_that_swallows_its_cancellation_is_cancelled_again() -> None:
    """Redis takes a cancellation for a time-out while it connects, and goes on; a stop at start-up waited for ever."""
    tasks, swallowed = Tasks(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.sleep(60)

    tasks.start("stubborn", stubborn)
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await tasks.close()
    assert swallowed.is_set()
