"""When a WebSocket camera's shutter opened, whatever its clock does."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komi.common.v1 import frame_pb2
from services.gateway.capturing.messages import FARTHEST_S
from services.gateway.capturing.timing import BrowserTiming, KeptTiming
from services.mesh.times import from_timestamp

NOW_US = 1_795_219_261_000_000


def test_a_former_clients_timestamps_keep_their_spacing_through_a_jittery_network() -> None:
    rng, timing, period_us = random.Random(7), KeptTiming(), 66_667
    errors = []
    for frame in range(120):
        captured_us = NOW_US + frame * period_us
        delay_us = 8_000 + round(rng.expovariate(1 / 20_000))
        time = timing.map((captured_us - 5_000_000_000) / 1e6, captured_us + delay_us)
        assert time.source == frame_pb2.TIME_SOURCE_CLIENT_TIMESTAMPS
        errors.append(from_timestamp(time.server_time) - captured_us)
    # Late by the shortest delay, which cannot be seen from one side; but all by the same.
    assert min(errors[20:]) >= 8_000
    assert max(errors[20:]) - min(errors[20:]) < 3_000


def test_without_a_timestamp_the_arrival_stands_in_and_says_so() -> None:
    time = KeptTiming().map(None, NOW_US)
    assert (from_timestamp(time.server_time), time.source) == (NOW_US, frame_pb2.TIME_SOURCE_ARRIVAL)


def test_a_clock_that_jumps_by_years_breaks_nothing_and_is_trusted_again() -> None:
    """A frame stamped 1970 after frames stamped today gave an uncertainty that no proto could hold."""
    timing = KeptTiming()
    timing.map(NOW_US / 1e6, NOW_US + 10_000)
    assert timing.map(1.0, NOW_US + 20_000).source == frame_pb2.TIME_SOURCE_ARRIVAL
    time = timing.map((NOW_US + 30_000) / 1e6, NOW_US + 40_000)
    assert time.source == frame_pb2.TIME_SOURCE_CLIENT_TIMESTAMPS
    assert time.uncertainty_us < 100_000


@given(st.lists(st.tuples(st.floats(0, FARTHEST_S, allow_nan=False), st.integers(0, 10**6)), max_size=30))
def test_no_sequence_of_timestamps_gives_an_impossible_time(frames: list[tuple[float, int]]) -> None:
    former, browser, now_us = KeptTiming(), BrowserTiming(), NOW_US
    for stamp, later in frames:
        now_us += later
        for time in (former.map(stamp, now_us), browser.map(stamp * 1000, now_us)):
            assert now_us - 20_000_000 <= from_timestamp(time.server_time) <= now_us


@pytest.mark.parametrize("drift", [0.0, 200e-6])
def test_a_page_is_timed_by_its_echoes_to_within_the_told_uncertainty(drift: float) -> None:
    rng, timing = random.Random(11), BrowserTiming()
    origin_us = NOW_US - 77_000_000

    def page_ms(server_us: float) -> float:
        return (server_us - origin_us) * (1 + drift) / 1000

    at_us = float(NOW_US)
    for _ in range(40):
        probe_id = timing.probe(round(at_us * 1000))
        there_us, back_us = 3_000 + rng.expovariate(1 / 4_000), 3_000 + rng.expovariate(1 / 4_000)
        timing.reply(probe_id, page_ms(at_us + there_us), round((at_us + there_us + back_us) * 1000))
        at_us += 64_000
    captured_us = at_us + 50_000
    time = timing.map(page_ms(captured_us), round(captured_us + 30_000))
    assert time.source == frame_pb2.TIME_SOURCE_CLOCK_PROBES
    assert abs(from_timestamp(time.server_time) - captured_us) <= time.uncertainty_us < 10_000
    status = timing.status(page_ms(captured_us))
    assert status is not None
    assert status.probes == 40


def test_echoes_that_were_never_sent_are_ignored() -> None:
    timing = BrowserTiming()
    timing.reply(99, 5.0, NOW_US * 1000)
    probe_id = timing.probe(NOW_US * 1000)
    timing.reply(probe_id, 5.0, NOW_US * 1000 - 1)
    assert timing.status(5.0) is None
    assert timing.map(None, NOW_US).source == frame_pb2.TIME_SOURCE_ARRIVAL
    assert math.isfinite(timing.epoch)
