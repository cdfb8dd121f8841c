"""A process that was held up gives what piled up a moment to be read before time counts on."""

import pytest

from services.sync.pulse import CATCH_UP_S, Pulse


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
